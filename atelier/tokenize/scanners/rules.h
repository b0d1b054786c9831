// The alternatives that the patterns of byte-level tokenizers share. Every function looks at the text from `at` on only.
#pragma once

#include <algorithm>

#include "atelier/tokenize/scanners/character_reader.h"

namespace atelier::tokenize {

inline constexpr unsigned kWordOrSpace = text::kLetter | text::kNumber | text::kWhiteSpace;

enum class LetterCase { kLower, kAny };

// 's|'t|'re|'ve|'m|'ll|'d: the end of the contraction at `at`, or `at`. In any case, s may also be U+017F, the long s.
inline size_t contraction_end(const CharacterReader& reader, size_t at, LetterCase letter_case) {
  if (reader.byte(at) != '\'') return at;
  const auto letter = [&](size_t position) -> char {
    const char byte = reader.byte(position);
    return letter_case == LetterCase::kAny && byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
  };
  switch (letter(at + 1)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return at + 2;
    case 'r':
    case 'v':
      return letter(at + 2) == 'e' ? at + 3 : at;
    case 'l':
      return letter(at + 2) == 'l' ? at + 3 : at;
    case '\xC5':
      return letter_case == LetterCase::kAny && reader.byte(at + 2) == '\xBF' ? at + 3 : at;
    default:
      return at;
  }
}

// \p{N}{1,limit}
inline size_t number_end(const CharacterReader& reader, size_t at, int limit) {
  for (int i = 0; i < limit; ++i) {
    const auto c = reader.at(at);
    if (!c.is(text::kNumber)) break;
    at += c.length;
  }
  return at;
}

enum class LineEnds { kApart, kAsAnySpace };

// \s*[\r\n]+|\s+(?!\S)|\s+ at a white space; without the first alternative when line ends are as any space. A run of white space
// gives its last character to what comes after it, unless the run is that character alone or the text ends.
inline size_t white_space_end(const CharacterReader& reader, size_t at, LineEnds line_ends) {
  size_t end = at, last = at, after_line_end = at;
  for (auto c = reader.at(end); c.is(text::kWhiteSpace); c = reader.at(end)) {
    last = end;
    if (line_ends == LineEnds::kApart && reader.is_line_end(end)) after_line_end = end + 1;
    end += c.length;
  }
  if (after_line_end > at) return after_line_end;
  return reader.at_end(end) || last == at ? end : last;
}

}  // namespace atelier::tokenize
