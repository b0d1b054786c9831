#include "atelier/text/normalize.h"

#include <gtest/gtest.h>
#include <unicode/normalizer2.h>

#include <random>

#include "atelier/text/utf8.h"

namespace atelier::text {
namespace {

std::string spell(const std::vector<SourcedCharacter>& characters) {
  std::string out;
  for (const SourcedCharacter& c : characters) append_utf8(out, c.value);
  return out;
}

TEST(normalize, a_composed_character_covers_all_that_it_was_made_from) {
  const auto characters = normalize("ae\u0301b", NormalForm::kNfc);
  ASSERT_EQ(spell(characters), "a\u00E9b");
  EXPECT_EQ(characters[1].begin, 1u);
  EXPECT_EQ(characters[1].end, 4u);
}

TEST(normalize, parts_of_a_decomposed_character_share_its_source) {
  const auto characters = normalize("\u00E9x", NormalForm::kNfd);
  ASSERT_EQ(characters.size(), 3u);
  EXPECT_EQ(characters[0].end, 2u);
  EXPECT_EQ(characters[1].begin, 0u);
  EXPECT_EQ(characters[2].begin, 2u);
}

TEST(normalize, compatibility_forms_unfold_ligatures) { EXPECT_EQ(spell(normalize("\uFB01\u2460", NormalForm::kNfkc)), "fi1"); }

TEST(normalize, random_strings_agree_with_the_whole_string_normalizer_of_icu) {
  const std::vector<char32_t> seeds = {'a',    'e',    0x301,  0x323,  0x307,  0x345,  0xC5,   0x1E9B, 0x1100, 0x1161, 0x11A8,
                                       0xAC00, 0x0344, 0x0DDD, 0x0B94, 0xFB2C, 0x2126, 0x212B, 0x3099, 0x304B, 0x1D15F};
  const std::pair<NormalForm, const icu::Normalizer2* (*)(UErrorCode&)> forms[] = {{NormalForm::kNfc, icu::Normalizer2::getNFCInstance},
                                                                                   {NormalForm::kNfd, icu::Normalizer2::getNFDInstance},
                                                                                   {NormalForm::kNfkc, icu::Normalizer2::getNFKCInstance},
                                                                                   {NormalForm::kNfkd, icu::Normalizer2::getNFKDInstance}};
  std::mt19937 random(7);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string input;
    for (int i = 0; i < 12; ++i) append_utf8(input, seeds[random() % seeds.size()]);
    for (const auto& [form, get] : forms) {
      UErrorCode error = U_ZERO_ERROR;
      std::string expected;
      get(error)->normalize(icu::UnicodeString::fromUTF8(input), error).toUTF8String(expected);
      ASSERT_EQ(spell(normalize(input, form)), expected);
      ASSERT_EQ(is_normalized(input, form), input == expected);
    }
  }
}

}  // namespace
}  // namespace atelier::text
