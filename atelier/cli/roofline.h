// What this machine can do at most, measured, and the tokens per second that follow for a model.
//
//   decode   a step reads every weight matrix once and, for each sequence, the keys and values before its token: bandwidth / bytes
//   prefill  one token of many costs two operations per weight of every matrix but the head: 1 / sum(operations / peak of the products)
//
// The smaller of the two limits binds a decode step; prefill of a long prompt is bound by arithmetic. docs/develop/performance.md
#pragma once

#include <cstdint>
#include <map>

#include "atelier/base/dtype.h"
#include "atelier/base/json.h"
#include "atelier/kernels/kernels.h"
#include "atelier/models/model.h"

namespace atelier::cli {

struct MachineLimits {
  double bandwidth = 0;                     // bytes per second
  std::map<kernels::Compute, double> peak;  // operations per second of the products alone, on registers
};

// Bandwidth and all three peaks; half a second.
MachineLimits measure_limits();

// The products that weights of a type take part in.
kernels::Compute compute_for(DType dtype, Precision precision);

// What a rate cannot pass: the memory's speed, or that of one kind of products.
enum class Bound : uint8_t { kMemory, kInt8, kBF16, kF32 };
const char* bound_name(Bound bound);  // "memory", "int8", "bf16", "f32"

struct Roofline {
  double bytes_per_step = 0;       // weights and cache read by a decode step
  double operations_per_step = 0;  // of a decode step
  double decode_tok_s = 0;         // of all sequences
  double prefill_tok_s = 0;
  Bound decode_bound = Bound::kMemory;  // of arithmetic, the kind of products that takes most of the time
  Bound prefill_bound = Bound::kF32;
};

// `batch` sequences are decoded together, each with `depth` tokens in the cache. Attention's operations are not counted.
Roofline roofline(const models::Model& model, const MachineLimits& limits, int64_t depth, int64_t batch = 1);

const char* compute_name(kernels::Compute compute);  // "f32", "bf16", "int8"

// Adds "memory_gb_s" and "peak_gops": {"int8": ...} to an object.
Json& add_limits(Json& object, const MachineLimits& limits);

}  // namespace atelier::cli
