#include "atelier/tokenize/jinja/unicode.h"

#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>

#include "atelier/text/utf8.h"

namespace atelier::tokenize::jinja {

namespace {

using CaseMapping = int32_t (*)(UChar* out, int32_t capacity, const UChar* in, int32_t size, UErrorCode* error);

std::string map_case(char32_t c, CaseMapping mapping) {
  std::array<UChar, 2> in;
  int32_t in_size = 0;
  U16_APPEND_UNSAFE(in.data(), in_size, static_cast<UChar32>(c));
  std::array<UChar, 16> out;
  UErrorCode error = U_ZERO_ERROR;
  int32_t out_size = mapping(out.data(), out.size(), in.data(), in_size, &error);
  std::string result;
  if (U_FAILURE(error)) {
    text::append_utf8(result, c);
    return result;
  }
  for (int32_t i = 0; i < out_size;) {
    UChar32 mapped;
    U16_NEXT(out.data(), i, out_size, mapped);
    text::append_utf8(result, static_cast<char32_t>(mapped));
  }
  return result;
}

bool is_case_ignorable(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_CASE_IGNORABLE); }

// Unicode's Final_Sigma: a cased letter before, none after, case-ignorable characters between them skipped.
bool is_final_sigma(std::string_view s, size_t at) {
  size_t before = at;
  char32_t c = 0;
  do {
    if (before == 0) return false;
    c = decode_before(s, before);
  } while (is_case_ignorable(c));
  if (!is_cased(c)) return false;
  decode(s, at);
  while (at < s.size()) {
    c = decode(s, at);
    if (!is_case_ignorable(c)) return !is_cased(c);
  }
  return true;
}

}  // namespace

size_t skip_code_points(std::string_view s, size_t from, size_t count) {
  for (; count > 0 && from < s.size(); --count) {
    ++from;
    while (from < s.size() && text::is_continuation(s[from])) ++from;
  }
  return from;
}

char32_t decode(std::string_view s, size_t& at) {
  size_t length = 0;
  const char32_t c = text::decode_utf8(s, at, length);
  at += length;
  return c;
}

char32_t decode_before(std::string_view s, size_t& at) {
  at = text::previous_character(s, at);
  size_t length = 0;
  return text::decode_utf8(s, at, length);
}

bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word(char32_t c) { return c == '_' || is_alpha(c) || is_numeric(c); }

bool is_identifier(std::string_view name) {
  for (size_t at = 0; at < name.size();) {
    bool is_first = at == 0;
    UChar32 c = static_cast<UChar32>(decode(name, at));
    if (c == '_') continue;
    if (!u_hasBinaryProperty(c, is_first ? UCHAR_XID_START : UCHAR_XID_CONTINUE)) return false;
  }
  return !name.empty();
}

bool is_line_break(char32_t c) { return (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029; }

bool is_printable(char32_t c) {
  constexpr uint32_t kHidden = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CO_MASK | U_GC_CN_MASK | U_GC_Z_MASK;
  return c == ' ' || (U_GET_GC_MASK(static_cast<UChar32>(c)) & kHidden) == 0;
}

bool is_alpha(char32_t c) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_L_MASK) != 0; }
bool is_decimal(char32_t c) { return u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER; }

bool is_digit(char32_t c) {
  int32_t type = u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_NUMERIC_TYPE);
  return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}

bool is_numeric(char32_t c) { return u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_NUMERIC_TYPE) != U_NT_NONE; }
bool is_cased(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_CASED); }
bool is_upper(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_UPPERCASE); }
bool is_lower(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_LOWERCASE); }

std::string to_upper(char32_t c) {
  return map_case(c, [](UChar* out, int32_t capacity, const UChar* in, int32_t size, UErrorCode* error) {
    return u_strToUpper(out, capacity, in, size, "", error);
  });
}

std::string to_title(char32_t c) {
  return map_case(c, [](UChar* out, int32_t capacity, const UChar* in, int32_t size, UErrorCode* error) {
    return u_strToTitle(out, capacity, in, size, nullptr, "", error);
  });
}

std::string to_folded(char32_t c) {
  return map_case(c, [](UChar* out, int32_t capacity, const UChar* in, int32_t size, UErrorCode* error) {
    return u_strFoldCase(out, capacity, in, size, U_FOLD_CASE_DEFAULT, error);
  });
}

std::string to_lower(std::string_view s, size_t at) {
  constexpr char32_t kCapitalSigma = 0x3A3;
  size_t end = at;
  char32_t c = decode(s, end);
  if (c == kCapitalSigma) return is_final_sigma(s, at) ? "ς" : "σ";
  return map_case(c, [](UChar* out, int32_t capacity, const UChar* in, int32_t size, UErrorCode* error) {
    return u_strToLower(out, capacity, in, size, "", error);
  });
}

char32_t code_point_named(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  UChar32 c = u_charFromName(U_EXTENDED_CHAR_NAME, name.c_str(), &error);
  return U_SUCCESS(error) ? static_cast<char32_t>(c) : 0xFFFF;
}

}  // namespace atelier::tokenize::jinja
