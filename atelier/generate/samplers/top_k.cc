// Keeps the k likeliest candidates and those that tie with the last of them: a token's fate never depends on its id.
// Equals transformers' TopKLogitsWarper.                                                   (Fan et al. 2018, arXiv:1805.04833)
#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.top_k > 0; }

void apply(const SamplingOptions& options, const SamplerContext&, Candidates& candidates) {
  const size_t k = static_cast<size_t>(options.top_k);
  if (k >= candidates.size()) return;
  const float threshold = candidates.sort_prefix(k).back().logit;
  candidates.keep_if([threshold](const Candidate& candidate) { return candidate.logit >= threshold; });
}

}  // namespace

extern const SamplerDef sampler_top_k;
const SamplerDef sampler_top_k = {"top_k", "keeps the k likeliest tokens", "arXiv:1805.04833", 110, is_active, apply};

}  // namespace atelier::generate
