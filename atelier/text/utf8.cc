#include "atelier/text/utf8.h"

#include <cstring>

namespace atelier::text {
namespace {

struct LeadByte {
  uint32_t length;          // 0: not a lead byte
  unsigned char low, high;  // bounds of the second byte; they exclude overlong forms, surrogates and values above U+10FFFF
};

LeadByte classify(unsigned char lead) {
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Step decode_checked(std::string_view text, size_t position) {
  const auto lead = static_cast<unsigned char>(text[position]);
  if (lead < 0x80) return {lead, 1, true, false};
  const LeadByte kind = classify(lead);
  if (kind.length == 0) return {kReplacement, 1, false, false};
  unsigned char low = kind.low, high = kind.high;
  for (uint32_t i = 1; i < kind.length; ++i, low = 0x80, high = 0xBF) {
    if (position + i >= text.size()) return {kReplacement, i, false, true};
    const auto byte = static_cast<unsigned char>(text[position + i]);
    if (byte < low || byte > high) return {kReplacement, i, false, false};
  }
  size_t length = 0;
  const char32_t value = decode_utf8(text, position, length);
  return {value, static_cast<uint32_t>(length), true, false};
}

void append_utf8(std::string& out, char32_t value) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | value >> 6);
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | value >> 12);
    put(0x80 | (value >> 6 & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | value >> 18);
    put(0x80 | (value >> 12 & 0x3F));
    put(0x80 | (value >> 6 & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

std::string to_utf8(char32_t value) {
  std::string out;
  append_utf8(out, value);
  return out;
}

size_t ascii_end(std::string_view text, size_t from) {
  constexpr uint64_t kHighBits = 0x8080808080808080u;
  for (uint64_t word = 0; from + sizeof word <= text.size(); from += sizeof word) {
    std::memcpy(&word, text.data() + from, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (from < text.size() && static_cast<unsigned char>(text[from]) < 0x80) ++from;
  return from;
}

bool is_valid_utf8(std::string_view text) {
  for (size_t i = ascii_end(text, 0); i < text.size(); i = ascii_end(text, i)) {
    const Utf8Step step = decode_checked(text, i);
    if (!step.is_valid) return false;
    i += step.length;
  }
  return true;
}

size_t count_characters(std::string_view valid_text) {
  size_t count = 0;
  for (const char byte : valid_text) count += !is_continuation(byte);
  return count;
}

std::vector<char32_t> to_code_points(std::string_view valid_text) {
  std::vector<char32_t> out;
  for (size_t i = 0, length = 0; i < valid_text.size(); i += length) out.push_back(decode_utf8(valid_text, i, length));
  return out;
}

std::string repair_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Utf8Step step = decode_checked(text, i);
    if (step.is_valid) {
      out.append(text, i, step.length);
    } else {
      append_utf8(out, kReplacement);
    }
    i += step.length;
  }
  return out;
}

size_t certain_prefix(std::string_view text) {
  // A truncated character is at most three bytes long: look at the last three positions only.
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const size_t start = text.size() - back;
    if (is_continuation(text[start])) continue;
    return decode_checked(text, start).is_truncated ? start : text.size();
  }
  return text.size();
}

}  // namespace atelier::text
