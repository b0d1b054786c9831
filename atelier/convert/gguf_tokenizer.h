// The tokenizer of a Hugging Face folder as GGUF metadata (tokenizer.ggml.*, docs/formats/gguf.md).
//
//   byte-level BPE                 model "gpt2": pieces, types, merges, the name of the pre-tokenizer
//   SentencePiece BPE (fallback    model "llama": pieces, types, and scores that order the merges; GGUF holds no merges for it
//   to bytes)
//   no tokenizer at all            model "none"
//
// Other kinds (Unigram, WordPiece) are refused: no architecture that we write uses them.
#pragma once

#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/models/model.h"

namespace atelier::convert {

// Reads tokenizer.json, tokenizer_config.json and config.json of `folder`. Pieces are padded to the model's vocabulary.
Status add_tokenizer(const std::string& folder, const models::Model& model, format::GgufMetadata& metadata);

}  // namespace atelier::convert
