// Split: cuts at the matches of a regular expression or at characters of a kind.
#pragma once

#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

// Cuts at the matches of `pattern`: with a scanner where one is written for it, else with the regular expression. `name` stands in
// error messages.
Result<std::unique_ptr<PreTokenizer>> pattern_pre_tokenizer(const std::string& pattern, SplitBehavior behavior, bool invert,
                                                            const std::string& name);

// Cuts at characters of a kind.
std::unique_ptr<PreTokenizer> character_pre_tokenizer(const CharacterKind& kind, SplitBehavior behavior);

// Digits: numeric characters (N*) by themselves, or in runs.
std::unique_ptr<PreTokenizer> digits_pre_tokenizer(bool individual_digits);

// Punctuation: ASCII punctuation and symbols, and category P*.
std::unique_ptr<PreTokenizer> punctuation_pre_tokenizer(SplitBehavior behavior);

}  // namespace atelier::tokenize
