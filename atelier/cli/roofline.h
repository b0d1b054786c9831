// What this machine can do at most, measured, and the tokens per second that follow for a model.
//
//   decode   one token reads every weight matrix once, and the keys and values before it: bandwidth / bytes
//   prefill  one token of many costs two operations per weight of every matrix but the head: 1 / sum(operations / rate of the type)
//
// The smaller of the two limits binds a decode step; prefill of a long prompt is bound by arithmetic. docs/develop/performance.md
#pragma once

#include <cstdint>
#include <map>

#include "atelier/base/dtype.h"
#include "atelier/base/json.h"
#include "atelier/models/model.h"

namespace atelier::cli {

struct MachineLimits {
  double bandwidth = 0;          // bytes per second
  std::map<DType, double> gemm;  // operations per second with weights of this type, as `precision` computes them
};

// Measures the bandwidth and the types that `model` stores its matrices in; about a quarter of a second each.
MachineLimits measure_limits(const models::Model& model);

kernels::Compute compute_for(DType dtype, Precision precision);

struct Roofline {
  double bytes_per_token = 0;       // weights and cache read by a decode step
  double operations_per_token = 0;  // of a decode step
  double decode_tok_s = 0;
  double prefill_tok_s = 0;
  bool is_decode_bound_by_memory = true;
};

// `depth` tokens are in the cache.
Roofline roofline(const models::Model& model, const MachineLimits& limits, int64_t depth);

// {"memory_gb_s", "gemm_gops": {"Q4_1": …}, "prefill_tok_s", "decode_tok_s"}
Json limits_json(const MachineLimits& limits, const Roofline& roofline);

}  // namespace atelier::cli
