// Keeps tokens whose probability is at least min_p times that of the likeliest; the likeliest always stays.
// Equals transformers' MinPLogitsWarper.                                                 (Nguyen et al. 2024, arXiv:2407.01082)
#include <cmath>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.min_p > 0; }

void apply(const SamplingOptions& options, const SamplerContext&, Candidates& candidates) {
  const double threshold = candidates.max_logit() + std::min(0.0, std::log(options.min_p));
  candidates.keep_if([threshold](const Candidate& candidate) { return candidate.logit >= threshold; });
}

}  // namespace

extern const SamplerDef sampler_min_p;
const SamplerDef sampler_min_p = {"min_p", "keeps tokens likely enough beside the likeliest", "arXiv:2407.01082", 140, is_active, apply};

}  // namespace atelier::generate
