// Locally typical sampling: keeps the tokens whose surprise -log p is nearest to the entropy H, until their mass reaches typical_p;
// at least one, and ties with the last of them. Equals transformers' TypicalLogitsWarper.  (Meister et al. 2022, arXiv:2202.00666)
#include <algorithm>
#include <cmath>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

struct Surprise {
  double distance;  // | -log p - H |
  double p;
};

bool is_active(const SamplingOptions& options) { return options.typical_p < 1; }

void apply(const SamplingOptions& options, const SamplerContext&, Candidates& candidates) {
  const double shift = candidates.max_logit() + std::log(candidates.exp_sum());
  double entropy = 0;
  for (const Candidate& candidate : candidates.items()) {
    const double log_p = candidate.logit - shift;
    if (std::isfinite(log_p)) entropy -= std::exp(log_p) * log_p;
  }
  const auto distance = [&](const Candidate& candidate) { return std::abs(shift - candidate.logit - entropy); };

  std::vector<Surprise> surprises;
  surprises.reserve(candidates.size());
  for (const Candidate& candidate : candidates.items()) surprises.push_back({distance(candidate), std::exp(candidate.logit - shift)});
  const auto nearer = [](const Surprise& a, const Surprise& b) { return a.distance < b.distance; };

  // The nearest ones in growing sorted prefixes: the mass is reached long before the end of a large vocabulary.
  double mass = 0, threshold = 0;
  size_t begin = 0;
  for (size_t end = std::min<size_t>(256, surprises.size()); begin < surprises.size(); end = std::min(end * 8, surprises.size())) {
    const auto first = surprises.begin() + static_cast<std::ptrdiff_t>(begin);
    std::partial_sort(first, surprises.begin() + static_cast<std::ptrdiff_t>(end), surprises.end(), nearer);
    for (; begin < end && mass < options.typical_p; ++begin) {
      mass += surprises[begin].p;
      threshold = surprises[begin].distance;
    }
    if (mass >= options.typical_p) break;
  }
  candidates.keep_if([&](const Candidate& candidate) { return distance(candidate) <= threshold; });
}

}  // namespace

extern const SamplerDef sampler_typical_p;
const SamplerDef sampler_typical_p = {"typical_p", "keeps tokens of about the expected surprise", "arXiv:2202.00666", 120, is_active,
                                      apply};

}  // namespace atelier::generate
