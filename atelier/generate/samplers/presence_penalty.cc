// logit[id] -= penalty for every token that occurs in the answer so far, however often. The prompt does not count.
#include <unordered_set>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.presence_penalty != 0; }

void apply(const SamplingOptions& options, const SamplerContext& context, Candidates& candidates) {
  std::unordered_set<int32_t> seen;
  for (const int32_t id : latest(context.tokens.subspan(context.num_prompt), options.penalty_window)) {
    if (seen.insert(id).second) candidates.logit(id) -= static_cast<float>(options.presence_penalty);
  }
}

}  // namespace

extern const SamplerDef sampler_presence_penalty;
const SamplerDef sampler_presence_penalty = {
    "presence_penalty", "subtracts a constant from tokens that occur in the answer", "OpenAI API, presence_penalty", 30, is_active, apply};

}  // namespace atelier::generate
