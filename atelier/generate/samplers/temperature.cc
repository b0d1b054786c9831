// Divides the logits by the temperature: below 1 sharper, above 1 flatter. At temperature 0 the chain takes the likeliest token and
// this sampler does nothing (sampler_chain.h).
#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.temperature > 0 && options.temperature != 1; }

void apply(const SamplingOptions& options, const SamplerContext&, Candidates& candidates) {
  candidates.divide(static_cast<float>(options.temperature));
}

}  // namespace

extern const SamplerDef sampler_temperature;
const SamplerDef sampler_temperature = {
    "temperature", "divides the logits; 0 takes the likeliest token", "arXiv:1503.02531, eq. 1", 150, is_active, apply};

}  // namespace atelier::generate
