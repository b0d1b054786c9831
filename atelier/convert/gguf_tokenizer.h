// The tokenizer of a Hugging Face folder as GGUF metadata (tokenizer.ggml.*, docs/formats/gguf.md).
//
//   byte-level BPE       model "gpt2": pieces, types, merges, the name of the pre-tokenizer
//   SentencePiece BPE    model "llama": pieces, types, and scores that order the merges; GGUF holds no merges for it
//   no tokenizer         model "none"
#pragma once

#include <string>

#include "atelier/base/status.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/models/model.h"

namespace atelier::convert {

// Reads the vocabulary (vocabulary_pieces.h), tokenizer_config.json and config.json of `folder`.
Status add_tokenizer(const std::string& folder, const models::Model& model, format::GgufMetadata& metadata);

}  // namespace atelier::convert
