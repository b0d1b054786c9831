// Divides positive logits and multiplies negative ones by the penalty, once for every token that occurs in the prompt or the answer.
// Equals transformers' RepetitionPenaltyLogitsProcessor.                                (Keskar et al. 2019, arXiv:1909.05858, 4.1)
#include <unordered_set>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.repetition_penalty != 1; }

void apply(const SamplingOptions& options, const SamplerContext& context, Candidates& candidates) {
  const float penalty = static_cast<float>(options.repetition_penalty);
  std::unordered_set<int32_t> seen;
  for (const int32_t id : latest(context.tokens, options.penalty_window)) {
    if (!seen.insert(id).second) continue;
    float& logit = candidates.logit(id);
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

}  // namespace

extern const SamplerDef sampler_repetition_penalty;
const SamplerDef sampler_repetition_penalty = {
    "repetition_penalty", "weakens tokens that occur in the prompt or the answer", "arXiv:1909.05858", 20, is_active, apply};

}  // namespace atelier::generate
