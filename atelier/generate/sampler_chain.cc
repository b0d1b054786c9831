#include "atelier/generate/sampler_chain.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "atelier/base/rng.h"

namespace atelier::generate {
namespace {

// The candidate at which the cumulative probability, likeliest first, passes u in [0, 1).
int32_t draw(Candidates& candidates, double u) {
  const float max = candidates.max_logit();
  const double target = u * candidates.exp_sum();
  double mass = 0;
  size_t at = 0;
  for (size_t sorted = 64; at < candidates.size(); sorted *= 4) {
    const auto prefix = candidates.sort_prefix(sorted);
    for (; at < prefix.size(); ++at) {
      mass += std::exp(static_cast<double>(prefix[at].logit) - max);
      if (mass > target) return prefix[at].id;
    }
  }
  return candidates.sort_prefix(1).front().id;  // rounding left the sum just below the target
}

Status out_of_range(const char* name, double value, const char* limit) {
  std::string text = std::to_string(value);
  return Status::invalid(std::string(name) + ": " + text + ", must be " + limit + "; see docs/guide/sampling.md");
}

}  // namespace

std::vector<const SamplerDef*> active_samplers(const SamplingOptions& options) {
  std::vector<const SamplerDef*> chain;
  for (const SamplerDef* sampler : samplers()) {
    if (options.temperature == 0 && sampler->order >= kFirstNarrowing) continue;
    if (sampler->is_active(options)) chain.push_back(sampler);
  }
  std::sort(chain.begin(), chain.end(), [](const SamplerDef* a, const SamplerDef* b) { return a->order < b->order; });
  return chain;
}

Status check_sampling_options(const SamplingOptions& options) {
  const auto within = [](double value, double low, double high) { return value >= low && value <= high; };  // false for NaN
  if (options.temperature != 0 && !within(options.temperature, 1e-3, 1e3)) {
    return out_of_range("temperature", options.temperature, "0 or 0.001 to 1000");
  }
  if (options.top_k < 0) return out_of_range("top_k", static_cast<double>(options.top_k), "at least 0 (0 is off)");
  if (!(options.top_p > 0 && options.top_p <= 1)) return out_of_range("top_p", options.top_p, "above 0 and at most 1 (1 is off)");
  if (!within(options.min_p, 0, 1)) return out_of_range("min_p", options.min_p, "0 to 1 (0 is off)");
  if (!(options.typical_p > 0 && options.typical_p <= 1)) {
    return out_of_range("typical_p", options.typical_p, "above 0 and at most 1 (1 is off)");
  }
  if (!within(options.repetition_penalty, 1e-3, 1e3)) {
    return out_of_range("repetition_penalty", options.repetition_penalty, "0.001 to 1000 (1 is off)");
  }
  if (!within(options.presence_penalty, -100, 100)) return out_of_range("presence_penalty", options.presence_penalty, "-100 to 100");
  if (!within(options.frequency_penalty, -100, 100)) return out_of_range("frequency_penalty", options.frequency_penalty, "-100 to 100");
  if (!within(options.dry_multiplier, 0, 100)) return out_of_range("dry_multiplier", options.dry_multiplier, "0 to 100 (0 is off)");
  if (!within(options.dry_base, 1, 100)) return out_of_range("dry_base", options.dry_base, "1 to 100");
  if (options.dry_allowed_length < 1) {
    return out_of_range("dry_allowed_length", static_cast<double>(options.dry_allowed_length), "at least 1");
  }
  return {};
}

SamplerChain::SamplerChain(SamplingOptions options) : options_(std::move(options)), chain_(active_samplers(options_)) {}

int32_t SamplerChain::sample(std::span<const float> logits, const SamplerContext& context, uint64_t sequence,
                             std::span<const uint64_t> allowed) {
  const bool has_edits = !chain_.empty() && chain_.front()->order < kFirstNarrowing;
  if (allowed.empty() || has_edits) {
    candidates_.assign(logits);
    if (!allowed.empty()) candidates_.forbid_others(allowed);
  } else {
    candidates_.assign_allowed(logits, allowed);
  }
  for (const SamplerDef* sampler : chain_) sampler->apply(options_, context, candidates_);
  if (candidates_.max_logit() == -INFINITY) return -1;
  if (options_.temperature == 0) {
    const auto items = candidates_.items();
    return std::min_element(items.begin(), items.end(), is_likelier)->id;
  }
  return draw(candidates_, random_uniform(options_.seed, sequence, context.tokens.size()));
}

}  // namespace atelier::generate
