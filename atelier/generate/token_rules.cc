#include "atelier/generate/token_rules.h"

#include <algorithm>

namespace atelier::generate {
namespace {

void forbid(int32_t id, std::span<uint64_t> allowed) {
  const auto word = static_cast<size_t>(id) / 64;
  if (id >= 0 && word < allowed.size()) allowed[word] &= ~(uint64_t{1} << (id % 64));
}

// The tokens that once followed what stands at the end now.
void forbid_repetition(size_t length, std::span<const int32_t> tokens, std::span<uint64_t> allowed) {
  if (tokens.size() + 1 < length) return;
  const auto last = tokens.last(length - 1);
  for (size_t begin = 0; begin + length <= tokens.size(); ++begin) {
    if (std::ranges::equal(tokens.subspan(begin, length - 1), last)) forbid(tokens[begin + length - 1], allowed);
  }
}

}  // namespace

std::optional<int32_t> forced_token(const TokenRules& rules, const RulePlace& place) {
  if (rules.forced_last && place.num_answer + 1 == place.max_tokens) return rules.forced_last;
  if (rules.forced_first && place.num_answer == 0) return rules.forced_first;
  return {};
}

void apply_rules(const TokenRules& rules, const RulePlace& place, std::span<uint64_t> allowed) {
  if (const std::optional<int32_t> forced = forced_token(rules, place)) {
    const auto word = static_cast<size_t>(*forced) / 64;
    for (size_t i = 0; i < allowed.size(); ++i) allowed[i] &= i == word ? uint64_t{1} << (*forced % 64) : 0;
    return;
  }
  if (rules.no_repeat_ngram > 0) forbid_repetition(static_cast<size_t>(rules.no_repeat_ngram), place.tokens, allowed);
  if (place.num_answer < rules.min_tokens) {
    for (const int32_t id : place.stop_ids) forbid(id, allowed);
  }
  for (const int32_t id : rules.banned_ids) forbid(id, allowed);
}

}  // namespace atelier::generate
