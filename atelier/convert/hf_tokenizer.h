// The vocabulary of a GGUF file as tokenizer.json and tokenizer_config.json.
//
//   model "gpt2"    byte-level BPE with its merges and the pre-tokenizer that the file names
//   model "llama"   BPE with fallback to bytes; merges are recovered from the scores as transformers does for SentencePiece models
//
// Other kinds are refused, as is a pre-tokenizer that the table does not hold.
#pragma once

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::convert {

// `vocabulary` has passed models::gguf_vocabulary. `adds_bos`: what the loaded model does.
Result<Json> hf_tokenizer(const tokenize::GgufVocabulary& vocabulary, bool adds_bos);
Json hf_tokenizer_config(const tokenize::GgufVocabulary& vocabulary, int64_t max_context);

}  // namespace atelier::convert
