// Rules about single tokens of an answer, whatever chooses them: samplers, the likeliest or beams. They are transformers'
// no_repeat_ngram_size, min_length, bad_words_ids of one token, forced_bos_token_id and forced_eos_token_id.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace atelier::generate {

struct TokenRules {
  int64_t no_repeat_ngram = 0;          // no so many tokens in a row occur twice, the prompt's among them; 0: they may
  int64_t min_tokens = 0;               // before so many no end token comes
  std::vector<int32_t> banned_ids;      // never come
  std::optional<int32_t> forced_first;  // the answer's first token
  std::optional<int32_t> forced_last;   // its last one when it grows as long as it may

  bool is_empty() const { return no_repeat_ngram == 0 && min_tokens == 0 && banned_ids.empty() && !forced_first && !forced_last; }
  bool operator==(const TokenRules&) const = default;
};

// Where the rules are asked: behind `tokens`, a prompt and `num_answer` tokens of an answer.
struct RulePlace {
  std::span<const int32_t> tokens;
  int64_t num_answer;
  int64_t max_tokens;  // of the answer; below 0: not known
  std::span<const int32_t> stop_ids;
};

// The token that must come, whatever the other rules say.
std::optional<int32_t> forced_token(const TokenRules& rules, const RulePlace& place);

// Clears the bits of tokens that may not come (bit id % 64 of word id / 64), or of all but the forced one.
void apply_rules(const TokenRules& rules, const RulePlace& place, std::span<uint64_t> allowed);

}  // namespace atelier::generate
