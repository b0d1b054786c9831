// How GGUF names what tokenizer.json spells out: the pre-tokenizers of byte-level BPE.
//
// A GGUF file says "llama-bpe" where tokenizer.json holds a regular expression. The table goes both ways; a pre-tokenizer that it does
// not hold has no name in GGUF, and the model then cannot be converted without changing its ids.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::convert {

struct PreTokenizer {
  const char* name;     // tokenizer.ggml.pre
  const char* regex;    // what a word is; null: GPT-2's pattern, which tokenizer.json has built in
  bool splits_digits;   // every digit is a word, before the pattern
  bool normalizes;      // NFC first
  bool ignores_merges;  // a word that is a piece as a whole is never taken apart
  bool adds_bos;        // what llama.cpp does when the file does not say
};

// The "normalizer" and "pre_tokenizer" of tokenizer.json.
Json normalizer_json(const PreTokenizer& entry);
Json pre_tokenizer_json(const PreTokenizer& entry);

std::span<const PreTokenizer> pre_tokenizers();

// By GGUF name; null when there is none.
const PreTokenizer* find_pre_tokenizer(std::string_view name);

// The entry that does what the "normalizer" and "pre_tokenizer" of `tokenizer` (a whole tokenizer.json) say.
Result<const PreTokenizer*> match_pre_tokenizer(const Json& tokenizer);

}  // namespace atelier::convert
