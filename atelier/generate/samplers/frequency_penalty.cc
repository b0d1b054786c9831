// logit[id] -= penalty * (number of times that the token occurs in the answer so far). The prompt does not count.
#include <unordered_map>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.frequency_penalty != 0; }

void apply(const SamplingOptions& options, const SamplerContext& context, Candidates& candidates) {
  std::unordered_map<int32_t, int> counts;
  for (const int32_t id : latest(context.tokens.subspan(context.num_prompt), options.penalty_window)) ++counts[id];
  for (const auto& [id, count] : counts) candidates.logit(id) -= static_cast<float>(options.frequency_penalty) * static_cast<float>(count);
}

}  // namespace

extern const SamplerDef sampler_frequency_penalty;
const SamplerDef sampler_frequency_penalty = {
    "frequency_penalty", "subtracts a constant per occurrence in the answer", "OpenAI API, frequency_penalty", 40, is_active, apply};

}  // namespace atelier::generate
