// What the patterns of tokenizers ask of a code point, as the bits of one byte: a table look-up instead of a walk through ICU.
//
// The table is made once per process from ICU's general categories (Unicode 15.0, as all of text/): two levels, blocks of 256 code
// points, equal blocks stored once; about 60 KiB.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace atelier::text {

enum CharacterClass : uint8_t {
  kLetter = 1,         // \p{L}
  kNumber = 2,         // \p{N}
  kWhiteSpace = 4,     // \s: White_Space
  kMark = 8,           // \p{M}
  kPunctuation = 16,   // \p{P}
  kSymbol = 32,        // \p{S}
  kNotLowerCase = 64,  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
  kNotUpperCase = 128  // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
};

class CharacterClasses {
 public:
  static const CharacterClasses& instance();

  // The classes of `c` <= U+10FFFF, any of CharacterClass.
  uint8_t operator()(char32_t c) const { return blocks_[index_[c >> 8]][c & 0xFF]; }
  // The classes of an ASCII byte.
  uint8_t ascii(unsigned char byte) const { return ascii_[byte]; }

 private:
  using Block = std::array<uint8_t, 256>;
  CharacterClasses();

  std::array<uint8_t, 128> ascii_;
  std::array<uint16_t, 0x1100> index_;  // by code point / 256: a block
  std::vector<Block> blocks_;
};

}  // namespace atelier::text
