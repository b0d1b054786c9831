// logit[id] += bias for the tokens that the caller names; ids outside the vocabulary are ignored.
#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return !options.logit_bias.empty(); }

void apply(const SamplingOptions& options, const SamplerContext&, Candidates& candidates) {
  for (const auto& [id, bias] : options.logit_bias) {
    if (id >= 0 && static_cast<size_t>(id) < candidates.size()) candidates.logit(id) += bias;
  }
}

}  // namespace

extern const SamplerDef sampler_logit_bias;
const SamplerDef sampler_logit_bias = {
    "logit_bias", "adds a number to the logits of chosen tokens", "OpenAI API, logit_bias", 10, is_active, apply};

}  // namespace atelier::generate
