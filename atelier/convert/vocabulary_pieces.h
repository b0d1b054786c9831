// The vocabulary of a Hugging Face folder in the terms of GGUF: pieces by id, their types, and merges or scores.
//
// Sources, the first that the folder has:
//   tokenizer.json             BPE, byte-level or with fallback to bytes
//   tokenizer.model            SentencePiece BPE
//   vocab.json + merges.txt    byte-level BPE with GPT-2's pattern
// Other kinds (Unigram, WordPiece) are refused: no architecture that we write uses them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::convert {

struct VocabularyPieces {
  bool is_sentencepiece = false;    // GGUF model "llama", else "gpt2"
  std::vector<std::string> tokens;  // by id, padded to the model's vocabulary with unused "[PAD7]"
  std::vector<int32_t> types;       // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
  std::vector<std::string> merges;  // "left right"; byte-level only
  std::vector<float> scores;        // SentencePiece only
  std::string pre;                  // tokenizer.ggml.pre
  bool adds_space_prefix = false;   // SentencePiece only
};

// JSON of folder/name, or null when there is no such file.
Result<Json> read_optional_json(const std::string& folder, const std::string& name);

// Nothing when the folder holds none of the sources.
Result<std::optional<VocabularyPieces>> read_vocabulary_pieces(const std::string& folder, int64_t vocab_size);

}  // namespace atelier::convert
