// Between the names that GGUF has for pre-tokenizers ("llama-bpe") and the JSON that tokenizer.json spells them out in.
//
// The table of names is tokenize/pretokenizer_patterns.h. A pre-tokenizer that it does not hold has no name in GGUF, and the model
// cannot be converted without changing its ids.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/tokenize/pretokenizer_patterns.h"

namespace atelier::convert {

// The "normalizer" and "pre_tokenizer" of tokenizer.json.
Json normalizer_json(const tokenize::NamedPreTokenizer& named);
Json pre_tokenizer_json(const tokenize::NamedPreTokenizer& named);

// The GGUF name of what the "normalizer", "pre_tokenizer" and "ignore_merges" of `tokenizer` (a whole tokenizer.json) do.
Result<std::string> gguf_pre_tokenizer_name(const Json& tokenizer);

}  // namespace atelier::convert
