// DRY, "don't repeat yourself": weakens the token that would continue a repetition of earlier text.
//
// Let n be the longest length such that the last n tokens also stand earlier in the text, followed there by token x. When n is at
// least allowed_length, logit[x] -= multiplier * base^(n - allowed_length). A repetition never reaches across a breaker (a token whose
// text holds a line break, a colon, …). As in llama.cpp's llama_sampler_dry and text-generation-webui (p-e-w), except that a breaker
// must lie within one token.
//
// All lengths come from one Z-function of the reversed text: O(tokens), also on "aaaa…".
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "atelier/generate/sampler.h"

namespace atelier::generate {
namespace {

bool is_active(const SamplingOptions& options) { return options.dry_multiplier > 0 && options.dry_base >= 1; }

// Tokens at the end of `tokens` that hold no breaker.
size_t length_of_breakerless_tail(std::span<const int32_t> tokens, const std::vector<bool>* breakers) {
  if (!breakers) return tokens.size();
  size_t length = 0;
  while (length < tokens.size()) {
    const auto id = static_cast<size_t>(tokens[tokens.size() - 1 - length]);
    if (id < breakers->size() && (*breakers)[id]) break;
    ++length;
  }
  return length;
}

// z[i]: length of the longest common prefix of text and text[i..]; z[0] is not set.                       (Gusfield 1997, 1.4)
std::vector<size_t> z_function(std::span<const int32_t> text) {
  std::vector<size_t> z(text.size(), 0);
  size_t left = 0, right = 0;  // the match that reaches furthest: text[left, right) equals text[0, right - left)
  for (size_t i = 1; i < text.size(); ++i) {
    if (i < right) z[i] = std::min(right - i, z[i - left]);
    while (i + z[i] < text.size() && text[z[i]] == text[i + z[i]]) ++z[i];
    if (i + z[i] > right) {
      left = i;
      right = i + z[i];
    }
  }
  return z;
}

void apply(const SamplingOptions& options, const SamplerContext& context, Candidates& candidates) {
  const auto tokens = latest(context.tokens, options.dry_window);
  const size_t longest = length_of_breakerless_tail(tokens, options.dry_breakers.get());
  const size_t allowed = static_cast<size_t>(std::max<int64_t>(1, options.dry_allowed_length));
  if (longest < allowed) return;

  const std::vector<int32_t> reversed(tokens.rbegin(), tokens.rend());
  const std::vector<size_t> z = z_function(reversed);
  std::unordered_map<int32_t, size_t> repetition;  // token that continues a repetition -> its longest length
  for (size_t i = 1; i < reversed.size(); ++i) {
    const size_t length = std::min(z[i], longest);
    if (length < allowed) continue;
    size_t& best = repetition[reversed[i - 1]];
    best = std::max(best, length);
  }

  const double max_exponent = options.dry_base > 1.000001 ? 88.0 / std::log(options.dry_base) : 0;  // keeps the power within float32
  for (const auto& [id, length] : repetition) {
    double exponent = static_cast<double>(length - allowed);
    if (max_exponent > 0) exponent = std::min(exponent, std::floor(max_exponent));
    candidates.logit(id) -= static_cast<float>(options.dry_multiplier * std::pow(options.dry_base, exponent));
  }
}

}  // namespace

extern const SamplerDef sampler_dry;
const SamplerDef sampler_dry = {"dry", "weakens tokens that would continue a repetition", "llama.cpp llama_sampler_init_dry", 50, is_active,
                                apply};

}  // namespace atelier::generate
