// The characters of a text by class, for scanners: one table look-up for ASCII, two for the rest.
#pragma once

#include <string_view>

#include "atelier/text/character_class.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/aligned_text.h"

namespace atelier::tokenize {

class CharacterReader {
 public:
  // Sees `range` of `text` (valid UTF-8) alone; positions are those of `text`.
  CharacterReader(std::string_view text, Span range) : text_(text.substr(0, range.end)), classes_(text::CharacterClasses::instance()) {}

  size_t end() const { return text_.size(); }
  bool at_end(size_t position) const { return position >= text_.size(); }
  // The byte at `position`; NUL at the end.
  char byte(size_t position) const { return at_end(position) ? '\0' : text_[position]; }

  struct Character {
    uint8_t classes;  // 0 at the end of the text
    uint8_t length;   // bytes; 0 at the end
    bool is(unsigned wanted) const { return (classes & wanted) != 0; }
  };
  Character at(size_t position) const {
    if (at_end(position)) return {0, 0};
    const auto lead = static_cast<unsigned char>(text_[position]);
    if (lead < 0x80) return {classes_.ascii(lead), 1};
    size_t length = 0;
    const char32_t c = text::decode_utf8(text_, position, length);
    return {classes_(c), static_cast<uint8_t>(length)};
  }

  // Where the run of characters of any `wanted` class that begins at `position` ends.
  size_t skip(size_t position, unsigned wanted) const {
    while (true) {
      const Character c = at(position);
      if (!c.is(wanted)) return position;
      position += c.length;
    }
  }
  // … of characters of none of the `unwanted` classes.
  size_t skip_except(size_t position, unsigned unwanted) const {
    while (true) {
      const Character c = at(position);
      if (c.length == 0 || c.is(unwanted)) return position;
      position += c.length;
    }
  }
  size_t skip_line_ends(size_t position) const {
    while (is_line_end(position)) ++position;
    return position;
  }
  bool is_line_end(size_t position) const { return byte(position) == '\n' || byte(position) == '\r'; }

 private:
  std::string_view text_;
  const text::CharacterClasses& classes_;
};

}  // namespace atelier::tokenize
