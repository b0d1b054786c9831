#include "atelier/tokenize/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "atelier/base/function_ref.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number;
  WireType type;
  uint64_t value = 0;      // kVarint, kFixed32, kFixed64
  std::string_view bytes;  // kBytes
};

// The fields of one message, one after the other.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }

  Status next(Field& field) {
    uint64_t tag = 0;
    ATELIER_RETURN_IF_ERROR(read_varint(tag));
    field = {.number = static_cast<uint32_t>(tag >> 3), .type = static_cast<WireType>(tag & 7)};
    switch (field.type) {
      case WireType::kVarint:
        return read_varint(field.value);
      case WireType::kFixed32:
        return read_fixed(4, field.value);
      case WireType::kFixed64:
        return read_fixed(8, field.value);
      case WireType::kBytes:
        break;
      default:
        return Status::corrupt("a field of wire type " + std::to_string(tag & 7));
    }
    uint64_t length = 0;
    ATELIER_RETURN_IF_ERROR(read_varint(length));
    if (length > bytes_.size()) {
      return Status::corrupt("a field of " + std::to_string(length) + " bytes where " + std::to_string(bytes_.size()) + " are left");
    }
    field.bytes = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return {};
  }

 private:
  Status read_varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return Status::corrupt("the file ends inside a number");
      const auto byte = static_cast<unsigned char>(bytes_[0]);
      bytes_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return {};
    }
    return Status::corrupt("a number of more than ten bytes");
  }

  Status read_fixed(size_t size, uint64_t& value) {
    if (bytes_.size() < size) return Status::corrupt("the file ends inside a number");
    value = 0;
    std::memcpy(&value, bytes_.data(), size);
    bytes_.remove_prefix(size);
    return {};
  }

  std::string_view bytes_;
};

Status for_each_field(std::string_view message, FunctionRef<Status(const Field&)> visit) {
  MessageReader reader(message);
  while (!reader.at_end()) {
    Field field;
    ATELIER_RETURN_IF_ERROR(reader.next(field));
    ATELIER_RETURN_IF_ERROR(visit(field));
  }
  return {};
}

Status parse_piece(std::string_view message, SentencePiece& piece) {
  return for_each_field(message, [&](const Field& field) -> Status {
    if (field.number == 1 && field.type == WireType::kBytes) piece.piece = text::repair_utf8(field.bytes);
    if (field.number == 2 && field.type == WireType::kFixed32) piece.score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
    if (field.number == 3 && field.type == WireType::kVarint) {
      if (field.value < 1 || field.value > 6) return Status::corrupt("a piece of type " + std::to_string(field.value));
      piece.type = static_cast<PieceType>(field.value);
    }
    return {};
  });
}

Status parse_trainer_spec(std::string_view message, SentencePieceModel& model) {
  return for_each_field(message, [&](const Field& field) -> Status {
    if (field.type != WireType::kVarint) return {};
    const auto id = static_cast<int64_t>(static_cast<int32_t>(field.value));
    switch (field.number) {
      case 3:
        if (field.value < 1 || field.value > 4) return Status::corrupt("model_type is " + std::to_string(field.value));
        model.kind = static_cast<SentencePieceKind>(field.value);
        break;
      case 24:
        model.treat_whitespace_as_suffix = field.value != 0;
        break;
      case 35:
        model.byte_fallback = field.value != 0;
        break;
      case 41:
        model.bos_id = id;
        break;
      case 42:
        model.eos_id = id;
        break;
      default:
        break;
    }
    return {};
  });
}

Status parse_normalizer_spec(std::string_view message, SentencePieceModel& model) {
  return for_each_field(message, [&](const Field& field) -> Status {
    if (field.number == 2 && field.type == WireType::kBytes) model.precompiled_charsmap = field.bytes;
    if (field.type != WireType::kVarint) return {};
    if (field.number == 3) model.add_dummy_prefix = field.value != 0;
    if (field.number == 4) model.remove_extra_whitespaces = field.value != 0;
    if (field.number == 5) model.escape_whitespaces = field.value != 0;
    return {};
  });
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes, const std::string& name) {
  SentencePieceModel model;
  const Status status = for_each_field(bytes, [&](const Field& field) -> Status {
    if (field.type != WireType::kBytes) return {};
    if (field.number == 1) return parse_piece(field.bytes, model.pieces.emplace_back());
    if (field.number == 2) return parse_trainer_spec(field.bytes, model);
    if (field.number == 3) return parse_normalizer_spec(field.bytes, model);
    return {};
  });
  if (!status.ok()) return status.with_context(name + ": not a SentencePiece model");
  if (model.pieces.empty()) return Status::corrupt(name + ": not a SentencePiece model: it has no pieces");
  for (const SentencePiece& piece : model.pieces) {
    if (!std::isfinite(piece.score)) return Status::corrupt(name + ": the score of a piece is not a number");
  }
  return model;
}

}  // namespace atelier::tokenize
