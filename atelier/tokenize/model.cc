#include "atelier/tokenize/model.h"

#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Status Model::tokenize_bytes(std::string_view piece, std::vector<ModelToken>& out) const {
  std::string spelled;
  std::vector<uint32_t> byte_at;  // by position in `spelled`
  for (size_t i = 0; i < piece.size(); ++i) {
    spelled += byte_to_character(static_cast<unsigned char>(piece[i]));
    byte_at.resize(spelled.size(), static_cast<uint32_t>(i));
  }
  byte_at.push_back(static_cast<uint32_t>(piece.size()));
  const size_t num_before = out.size();
  ATELIER_RETURN_IF_ERROR(tokenize(spelled, out));
  for (size_t i = num_before; i < out.size(); ++i) out[i] = {out[i].id, byte_at[out[i].begin], byte_at[out[i].end]};
  return {};
}

std::string byte_token(unsigned char byte) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

std::optional<unsigned char> parse_byte_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const int high = hex_digit(token[3]), low = hex_digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

std::optional<std::array<TokenId, 256>> find_byte_characters(const Vocabulary& vocabulary) {
  std::array<TokenId, 256> ids;
  for (size_t byte = 0; byte < ids.size(); ++byte) {
    const std::optional<TokenId> id = vocabulary.find(byte_to_character(static_cast<unsigned char>(byte)));
    if (!id) return std::nullopt;
    ids[byte] = *id;
  }
  return ids;
}

std::optional<std::vector<TokenId>> find_byte_tokens(const Vocabulary& vocabulary) {
  std::vector<TokenId> ids;
  for (int byte = 0; byte < 256; ++byte) {
    const std::optional<TokenId> id = vocabulary.find(byte_token(static_cast<unsigned char>(byte)));
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace atelier::tokenize
