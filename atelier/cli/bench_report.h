// What `atelier bench` measured, and how it stands beside the report of another engine.
//
// A report is one JSON object. A peer's needs "engine threads prompt generate depth kv prefill_tok_s batched", `batched` being a list of
// "batch decode_tok_s"; whatever else it holds is ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"

namespace atelier::cli {

struct BatchRate {
  int64_t batch = 1;  // sequences decoded together
  double decode_tok_s = 0;
};

struct BenchReport {
  std::string engine;
  int64_t threads = 0, prompt = 0, generate = 0, depth = 0;
  std::string kv;            // "f16", "f32", "q8_0"
  double prefill_tok_s = 0;  // 0: not measured
  std::vector<BatchRate> batched;

  // Of `batch` sequences together; 0: not measured.
  double decode_tok_s(int64_t batch) const;
};

// `name` stands in errors: InvalidArgument for text that is no such report.
Result<BenchReport> parse_bench_report(std::string_view text, const std::string& name);

// InvalidArgument naming the first setting of `peer`, read from `name`, that differs from `ours`; rates are not looked at.
Status check_same_settings(const BenchReport& ours, const BenchReport& peer, const std::string& name);

// ours / theirs; empty where either was not measured.
std::optional<double> ratio(double ours, double theirs);

// {"engine", "prefill_ratio", "decode_ratio", "batched": [{"batch", "ratio"}]}, null where either was not measured; `batched` has the
// batches that both measured.
Json comparison_json(const BenchReport& ours, const BenchReport& peer);

}  // namespace atelier::cli
