#include "atelier/generate/logprobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atelier/kernels/kernels.h"

namespace atelier::generate {

// In one pass with a heap whose top is the least likely kept.
std::vector<Candidate> likeliest(std::span<const float> logits, size_t count) {
  std::vector<Candidate> heap;
  if (count == 0) return heap;
  for (size_t i = 0; i < logits.size(); ++i) {
    const Candidate candidate = {static_cast<int32_t>(i), logits[i]};
    if (heap.size() < count) {
      heap.push_back(candidate);
      std::push_heap(heap.begin(), heap.end(), is_likelier);
    } else if (is_likelier(candidate, heap.front())) {
      std::pop_heap(heap.begin(), heap.end(), is_likelier);
      heap.back() = candidate;
      std::push_heap(heap.begin(), heap.end(), is_likelier);
    }
  }
  std::sort_heap(heap.begin(), heap.end(), is_likelier);
  return heap;
}

Result<double> log_normaliser(std::span<const float> logits) {
  const kernels::LogSumExp sum = kernels::log_sum_exp(logits.data(), static_cast<int64_t>(logits.size()));
  if (std::isfinite(sum.max + sum.log_sum)) return sum.max + sum.log_sum;
  return Status::corrupt("logits: not finite, want numbers; the model file may be damaged: try --dtype f32 or download it again");
}

TokenReport report_token(std::span<const float> logits, double normaliser, int32_t id, int num_top) {
  TokenReport report{id, logits[static_cast<size_t>(id)] - normaliser, {}};
  for (const Candidate& candidate : likeliest(logits, static_cast<size_t>(std::max(0, num_top)))) {
    report.top.push_back({candidate.id, candidate.logit - normaliser});
  }
  return report;
}

TokenReport report_token(Candidates& candidates, int32_t id, int num_top) {
  const double shift = candidates.max_logit() + std::log(candidates.exp_sum());
  TokenReport report{id, -INFINITY, {}};
  for (const Candidate& candidate : candidates.items()) {
    if (candidate.id == id) report.logprob = candidate.logit - shift;
  }
  for (const Candidate& candidate : candidates.sort_prefix(static_cast<size_t>(std::max(0, num_top)))) {
    report.top.push_back({candidate.id, candidate.logit - shift});
  }
  return report;
}

void LogprobTotal::add(const TokenReport& report) {
  ++num_tokens;
  logprob += report.logprob;
  for (const TokenLogprob& top : report.top) covered += std::exp(top.logprob);
}

std::string LogprobTotal::line(int num_top) const {
  const double mean = num_tokens > 0 ? covered / static_cast<double>(num_tokens) : 0;
  return fmt::format("Total: {:.2f} logprob on {} tokens ({:.2f}% probability covered in top {} logits)", logprob, num_tokens, 100 * mean,
                     num_top);
}

}  // namespace atelier::generate
