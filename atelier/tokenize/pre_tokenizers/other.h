// The smaller pre-tokenizers: Bert, CharDelimiterSplit, FixedLength, UnicodeScripts.
#pragma once

#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

std::unique_ptr<PreTokenizer> bert_pre_tokenizer();                           // white space removed, punctuation by itself
std::unique_ptr<PreTokenizer> delimiter_pre_tokenizer(char32_t delimiter);    // the delimiter is removed
std::unique_ptr<PreTokenizer> fixed_length_pre_tokenizer(size_t characters);  // the last piece may be shorter
std::unique_ptr<PreTokenizer> scripts_pre_tokenizer();                        // cut where the script changes

}  // namespace atelier::tokenize
