// The samplers in their order, and the draw at the end.
//
// The draw is the inverse of the cumulative distribution over the candidates in order of likelihood, at a uniform number that is a
// function of (seed, sequence, position) alone: the same request draws the same tokens whatever runs beside it. At temperature 0 the
// likeliest token is taken, after the edits of the logits; the narrowing samplers do nothing then.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/sampler.h"

namespace atelier::generate {

// The active samplers of `options` in the order in which they run.
std::vector<const SamplerDef*> active_samplers(const SamplingOptions& options);

// InvalidArgument when an option lies outside its range.
Status check_sampling_options(const SamplingOptions& options);

class SamplerChain {
 public:
  explicit SamplerChain(SamplingOptions options);

  // The next token. logits [V] hold at least one finite value and no NaN; `sequence` and the position of the token to be drawn,
  // context.tokens.size(), choose the random number. `allowed` has a bit for each token that may be drawn, or is empty: all may.
  // -1 when every allowed token has the logit -infinity.
  int32_t sample(std::span<const float> logits, const SamplerContext& context, uint64_t sequence, std::span<const uint64_t> allowed = {});

  // True when sample() gives the likeliest token whatever was said before (likeliest_token() is the short way to it).
  bool is_greedy() const { return options_.temperature == 0 && chain_.empty(); }

  // What the last sample() drew from: the model's candidates after edits, narrowing and temperature.
  Candidates& candidates() { return candidates_; }

 private:
  SamplingOptions options_;
  std::vector<const SamplerDef*> chain_;
  Candidates candidates_;
};

}  // namespace atelier::generate
