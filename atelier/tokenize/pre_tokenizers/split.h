// Split: cuts at the matches of a regular expression or of a string.
#pragma once

#include "atelier/text/regex.h"
#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

std::unique_ptr<PreTokenizer> split_pre_tokenizer(text::Regex regex, SplitBehavior behavior, bool invert = false);

// Cuts at code points that `is_delimiter` accepts.
std::unique_ptr<PreTokenizer> character_pre_tokenizer(bool (*is_delimiter)(char32_t), SplitBehavior behavior);

// Digits: numeric characters (N*) by themselves, or in runs.
std::unique_ptr<PreTokenizer> digits_pre_tokenizer(bool individual_digits);

// Punctuation: ASCII punctuation and symbols, and category P*.
std::unique_ptr<PreTokenizer> punctuation_pre_tokenizer(SplitBehavior behavior);

}  // namespace atelier::tokenize
