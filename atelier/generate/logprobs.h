// Log-probabilities of tokens and their likeliest alternatives: what `--top-logprobs` and `/top` show.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/candidates.h"

namespace atelier::generate {

struct TokenLogprob {
  int32_t id;
  double logprob;  // natural logarithm; -infinity when a sampler removed the token
};

// A token that was chosen or given, and what else could have stood there.
struct TokenReport {
  int32_t id = -1;
  double logprob = 0;
  std::vector<TokenLogprob> top;  // the likeliest tokens of this position, likeliest first
};

// log(sum(exp(logits))) of logits [V]: the log-probability of a token is its logit less this. A NaN, +infinity, or no finite value is
// an error: the model file is damaged or the computation went wrong.
Result<double> log_normaliser(std::span<const float> logits);

// The `count` likeliest of logits [V], in order; all where there are fewer.
std::vector<Candidate> likeliest(std::span<const float> logits, size_t count);

// From the model's own logits [V], before samplers; `normaliser` is log_normaliser(logits).
TokenReport report_token(std::span<const float> logits, double normaliser, int32_t id, int num_top);

// From what the samplers left.
TokenReport report_token(Candidates& candidates, int32_t id, int num_top);

// Sum of log-probabilities, and the mean over tokens of the mass that `top` covers, as the playground's total line shows them.
struct LogprobTotal {
  int64_t num_tokens = 0;
  double logprob = 0;
  double covered = 0;  // sum over tokens of the mass of `top`

  void add(const TokenReport& report);
  // "Total: -0.15 logprob on 1 tokens (98.54% probability covered in top 5 logits)"
  std::string line(int num_top) const;
};

}  // namespace atelier::generate
