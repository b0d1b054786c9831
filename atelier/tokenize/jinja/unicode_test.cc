#include "atelier/tokenize/jinja/unicode.h"

#include <gtest/gtest.h>

namespace atelier::tokenize::jinja {
namespace {

TEST(Unicode, case_mappings_are_the_full_ones) {
  EXPECT_EQ(to_upper(U'ß'), "SS");
  EXPECT_EQ(to_title(U'ǆ'), "ǅ");
  EXPECT_EQ(to_folded(U'ß'), "ss");
  EXPECT_EQ(to_lower("İ", 0), "i̇");
}

TEST(Unicode, capital_sigma_at_the_end_of_a_word_becomes_final) {
  std::string word = "ΑΣ ΣΑ";
  EXPECT_EQ(to_lower(word, 2), "ς");
  EXPECT_EQ(to_lower(word, 5), "σ");
  EXPECT_EQ(to_lower("Σ", 0), "σ");
}

TEST(Unicode, identifiers_follow_python) {
  EXPECT_TRUE(is_identifier("_a1"));
  EXPECT_TRUE(is_identifier("é"));
  EXPECT_FALSE(is_identifier("1a"));
  EXPECT_FALSE(is_identifier("a-b"));
  EXPECT_FALSE(is_identifier(""));
}

TEST(Unicode, decoding_goes_both_ways) {
  std::string_view s = "a😀";
  size_t at = 1;
  EXPECT_EQ(decode(s, at), U'😀');
  EXPECT_EQ(at, 5u);
  EXPECT_EQ(decode_before(s, at), U'😀');
  EXPECT_EQ(at, 1u);
  EXPECT_EQ(skip_code_points(s, 0, 9), 5u);
}

}  // namespace
}  // namespace atelier::tokenize::jinja
