// SentencePiece .model files: a protocol buffer (sentencepiece_model.proto), read with a small bounded reader.
//
//   ModelProto      1 pieces (repeated)   2 trainer_spec   3 normalizer_spec
//   SentencePiece   1 piece   2 score   3 type
//   TrainerSpec     3 model_type   24 treat_whitespace_as_suffix   35 byte_fallback   40 unk_id   41 bos_id   42 eos_id
//   NormalizerSpec  2 precompiled_charsmap   3 add_dummy_prefix   4 remove_extra_whitespaces   5 escape_whitespaces
//
// Unknown fields are skipped; every length is bounded by the bytes that are left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::tokenize {

enum class PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
enum class SentencePieceKind { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };

struct SentencePiece {
  std::string piece;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  SentencePieceKind kind = SentencePieceKind::kUnigram;
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  int64_t bos_id = 1, eos_id = 2;  // -1: none
  std::string precompiled_charsmap;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes, const std::string& name);

}  // namespace atelier::tokenize
