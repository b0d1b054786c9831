#include "atelier/tokenize/byte_level.h"

#include <array>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

constexpr char32_t kShifted = 0x100;  // first character of the bytes that are not printable
constexpr char32_t kNumCharacters = kShifted + 68;

struct Tables {
  std::array<std::string, 256> characters;
  std::array<int, kNumCharacters> bytes;  // -1: stands for no byte

  Tables() {
    bytes.fill(-1);
    char32_t next = kShifted;
    for (int byte = 0; byte < 256; ++byte) {
      const bool is_printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const char32_t character = is_printable ? static_cast<char32_t>(byte) : next++;
      characters[static_cast<size_t>(byte)] = text::to_utf8(character);
      bytes[character] = byte;
    }
  }
};

const Tables& tables() {
  static const Tables kTables;
  return kTables;
}

}  // namespace

std::string_view byte_to_character(unsigned char byte) { return tables().characters[byte]; }

std::optional<std::string> decode_byte_level(std::string_view token) {
  std::string out;
  for (size_t i = 0, length = 0; i < token.size(); i += length) {
    const char32_t character = text::decode_utf8(token, i, length);
    if (character >= kNumCharacters || tables().bytes[character] < 0) return std::nullopt;
    out += static_cast<char>(tables().bytes[character]);
  }
  return out;
}

std::string encode_byte_level(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += byte_to_character(static_cast<unsigned char>(byte));
  return out;
}

}  // namespace atelier::tokenize
