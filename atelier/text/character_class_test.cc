#include "atelier/text/character_class.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>

#include "atelier/text/unicode.h"

namespace atelier::text {
namespace {

TEST(character_class, agrees_with_icu_on_every_code_point) {
  const CharacterClasses& classes = CharacterClasses::instance();
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const uint32_t mask = U_GET_GC_MASK(static_cast<UChar32>(c));
    const auto has = [&](CharacterClass wanted) { return (classes(c) & wanted) != 0; };
    ASSERT_EQ(has(kLetter), (mask & U_GC_L_MASK) != 0) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(has(kNumber), is_numeric(c)) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(has(kWhiteSpace), is_white_space(c)) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(has(kMark), is_mark(c)) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(has(kPunctuation), is_punctuation(c)) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(has(kSymbol), (mask & U_GC_S_MASK) != 0) << std::hex << static_cast<uint32_t>(c);
    const bool has_no_case = (mask & (U_GC_LM_MASK | U_GC_LO_MASK | U_GC_M_MASK)) != 0;
    ASSERT_EQ(has(kNotLowerCase), has_no_case || (mask & (U_GC_LU_MASK | U_GC_LT_MASK)) != 0) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(has(kNotUpperCase), has_no_case || (mask & U_GC_LL_MASK) != 0) << std::hex << static_cast<uint32_t>(c);
    if (c < 0x80) {
      ASSERT_EQ(classes.ascii(static_cast<unsigned char>(c)), classes(c));
    }
  }
}

}  // namespace
}  // namespace atelier::text
