#include "atelier/text/unicode.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/uversion.h>

#include <memory>

#include "atelier/text/utf8.h"

namespace atelier::text {
namespace {

bool has_category(char32_t c, uint32_t mask) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0; }

}  // namespace

bool is_white_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}
bool is_numeric(char32_t c) { return has_category(c, U_GC_N_MASK); }
bool is_punctuation(char32_t c) { return has_category(c, U_GC_P_MASK); }
bool is_ascii_or_unicode_punctuation(char32_t c) {
  if (c >= 0x80) return is_punctuation(c);
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}
bool is_mark(char32_t c) { return has_category(c, U_GC_M_MASK); }
bool is_nonspacing_mark(char32_t c) { return has_category(c, U_GC_MN_MASK); }
bool is_other(char32_t c) { return has_category(c, U_GC_C_MASK); }

bool is_word(char32_t c) {
  const auto code = static_cast<UChar32>(c);
  return u_hasBinaryProperty(code, UCHAR_ALPHABETIC) || u_hasBinaryProperty(code, UCHAR_JOIN_CONTROL) ||
         has_category(c, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK);
}

void append_lower(std::u32string& out, char32_t c) {
  constexpr char32_t kCapitalIWithDot = 0x130;  // the only unconditional multi-character lower case of SpecialCasing.txt
  if (c == kCapitalIWithDot) {
    out += U"i\u0307";
  } else {
    out += static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  }
}

int32_t script_of_piece(char32_t c) {
  constexpr char32_t kProlongedSoundMark = 0x30FC;
  if (c == ' ') return kAnyScript;
  if (c == kProlongedSoundMark) return USCRIPT_HAN;
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(c), &error);
  if (U_FAILURE(error) || script == USCRIPT_UNKNOWN) return kAnyScript;
  return script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ? USCRIPT_HAN : script;
}

std::vector<size_t> grapheme_borders(std::string_view valid_text) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> breaks(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  UText source = UTEXT_INITIALIZER;
  utext_openUTF8(&source, valid_text.data(), static_cast<int64_t>(valid_text.size()), &error);
  std::vector<size_t> borders;
  if (U_SUCCESS(error)) {
    breaks->setText(&source, error);
    for (int32_t at = breaks->first(); at != icu::BreakIterator::DONE; at = breaks->next()) borders.push_back(static_cast<size_t>(at));
  }
  utext_close(&source);
  return borders;
}

std::string unicode_version() {
  UVersionInfo version;
  u_getUnicodeVersion(version);
  return std::to_string(version[0]) + "." + std::to_string(version[1]);
}

}  // namespace atelier::text
