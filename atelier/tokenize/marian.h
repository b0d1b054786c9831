// Tokenizers of Marian's translation models: SentencePiece cuts the text, vocab.json numbers the pieces of both languages.
//
// Pieces of vocab.json that source.spm does not have are the other language's: they are decoded and never made. What is spelled >>fra<< is
// special: it stands before the text and names the language to translate into. </s> follows every text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

// `model`: the bytes of source.spm, a Unigram model; `vocab_json`: an object of pieces and their ids, 0 .. n - 1. `name` stands in error
// messages; `config_json` is the text of tokenizer_config.json, or empty.
Result<std::unique_ptr<Tokenizer>> marian_tokenizer(std::string_view model, std::string_view vocab_json, const std::string& name,
                                                    std::string_view config_json = {});

}  // namespace atelier::tokenize
