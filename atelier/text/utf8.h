// UTF-8: decode, append, repair, and where a growing text may be cut.
//
// Functions that take "valid" text do not check it again; everything that comes from outside passes through repair_utf8() first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text {

inline constexpr char32_t kReplacement = 0xFFFD;

// One step of a checked decoder. An invalid sequence has value U+FFFD and covers its maximal invalid part (Unicode 15.0, table 3-8),
// as Python's errors="replace" and Rust's from_utf8_lossy count them.
struct Utf8Step {
  char32_t value;
  uint32_t length;  // bytes, at least 1
  bool is_valid;
  bool is_truncated;  // invalid only because the text ends: more bytes could complete it
};
Utf8Step decode_checked(std::string_view text, size_t position);

// The code point at `position` of valid text; `length` is set to its bytes.
inline char32_t decode_utf8(std::string_view text, size_t position, size_t& length) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[position + i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return length = 1, lead;
  if (lead < 0xE0) return length = 2, (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  if (lead < 0xF0) return length = 3, (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return length = 4, (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
}

inline bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Bytes of the character that starts with `lead` in valid text.
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Start of the character that ends before `position` > 0 in valid text.
inline size_t previous_character(std::string_view text, size_t position) {
  do --position;
  while (position > 0 && is_continuation(text[position]));
  return position;
}

void append_utf8(std::string& out, char32_t value);
std::string to_utf8(char32_t value);
bool is_valid_utf8(std::string_view text);
// The first position from `from` on that holds no ASCII byte, or text.size().
size_t ascii_end(std::string_view text, size_t from);
size_t count_characters(std::string_view valid_text);
std::vector<char32_t> to_code_points(std::string_view valid_text);

// `text` with every maximal invalid part replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

// How many leading bytes of `text` are certain when more may follow: all but a truncated last character.
size_t certain_prefix(std::string_view text);

}  // namespace atelier::text
