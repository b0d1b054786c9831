// A kind of characters to cut at: white space, digits, punctuation. Finds the next one at a table look-up per byte.
#pragma once

#include <array>
#include <string_view>

#include "atelier/text/character_class.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {

class CharacterKind {
 public:
  // Characters of any of `classes`; ASCII characters also of any of `ascii_classes`.
  explicit CharacterKind(unsigned classes, unsigned ascii_classes = 0) : classes_(classes), all_(text::CharacterClasses::instance()) {
    for (size_t byte = 0; byte < by_byte_.size(); ++byte) {
      const bool is_ascii = byte < 0x80;
      const bool is_meant = is_ascii && (all_.ascii(static_cast<unsigned char>(byte)) & (classes | ascii_classes)) != 0;
      by_byte_[byte] = is_meant ? Answer::kYes : is_ascii ? Answer::kNo : Answer::kLook;
    }
  }

  // Where the next such character of `text` (valid UTF-8) begins, from `from` on; or `end`.
  size_t find(std::string_view text, size_t from, size_t end) const {
    while (true) {
      while (from < end && by_byte_[static_cast<unsigned char>(text[from])] == Answer::kNo) ++from;
      if (from >= end || contains_at(text, from)) return from;
      from += text::utf8_length(text[from]);
    }
  }

  // Whether such a character begins at `position`.
  bool contains_at(std::string_view text, size_t position) const {
    const Answer answer = by_byte_[static_cast<unsigned char>(text[position])];
    if (answer != Answer::kLook) return answer == Answer::kYes;
    size_t length = 0;
    return (all_(text::decode_utf8(text, position, length)) & classes_) != 0;
  }

 private:
  enum class Answer : uint8_t { kNo, kYes, kLook };
  unsigned classes_;
  const text::CharacterClasses& all_;
  std::array<Answer, 256> by_byte_;
};

}  // namespace atelier::tokenize
