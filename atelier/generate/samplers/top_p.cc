// Nucleus sampling: keeps the smallest set of likeliest tokens whose mass reaches top_p, at least one.
// Equals transformers' TopPLogitsWarper.                                                (Holtzman et al. 2019, arXiv:1904.09751)
#include <algorithm>
#include <cmath>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.top_p < 1; }

void apply(const SamplingOptions& options, const SamplerContext&, Candidates& candidates) {
  const double needed = options.top_p * candidates.exp_sum();
  const float max = candidates.max_logit();
  double mass = 0;
  size_t kept = 0;
  for (size_t sorted = 128; kept < candidates.size(); sorted *= 4) {
    const auto prefix = candidates.sort_prefix(sorted);
    while (kept < prefix.size() && (kept == 0 || mass < needed)) mass += std::exp(static_cast<double>(prefix[kept++].logit) - max);
    if (mass >= needed) break;
  }
  candidates.keep_prefix(kept);
}

}  // namespace

extern const SamplerDef sampler_top_p;
const SamplerDef sampler_top_p = {
    "top_p", "keeps the smallest set of likeliest tokens with a given mass", "arXiv:1904.09751", 130, is_active, apply};

}  // namespace atelier::generate
