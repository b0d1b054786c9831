#include "atelier/text/utf8.h"

#include <gtest/gtest.h>

#include "atelier/text/unicode.h"

namespace atelier::text {
namespace {

TEST(utf8, maximal_invalid_parts_become_one_replacement_each) {
  EXPECT_EQ(repair_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                        "b\x80"
                        "c\x80\xBF"
                        "d"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");  // Unicode 15.0, table 3-8
  EXPECT_EQ(repair_utf8("\xC0\xAF\xE0\x80\xBF\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(repair_utf8("\xF4\x91\x92\x93\xFF"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(utf8, every_code_point_survives_a_round_trip) {
  for (char32_t c = 0; c <= 0x10FFFF; c += 7) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string bytes = to_utf8(c);
    size_t length = 0;
    ASSERT_TRUE(is_valid_utf8(bytes));
    ASSERT_EQ(decode_utf8(bytes, 0, length), c);
    ASSERT_EQ(length, bytes.size());
    ASSERT_EQ(previous_character(bytes, bytes.size()), 0u);
  }
}

TEST(utf8, only_a_character_that_may_be_completed_is_uncertain) {
  EXPECT_EQ(certain_prefix("ab\xE2\x82"), 2u);
  EXPECT_EQ(certain_prefix("ab\xF0\x9F\x99"), 2u);
  EXPECT_EQ(certain_prefix("ab\xE2\x28"), 4u);
  EXPECT_EQ(certain_prefix("\x80\x80\x80\x80"), 4u);
  EXPECT_EQ(certain_prefix("é"), 2u);
  EXPECT_EQ(certain_prefix(""), 0u);
}

TEST(unicode, one_stated_version) { EXPECT_EQ(unicode_version(), "15.0"); }

TEST(unicode, grapheme_clusters_keep_joined_characters_together) {
  EXPECT_EQ(grapheme_borders("ae\u0301\r\nb"), (std::vector<size_t>{0, 1, 4, 6, 7}));
}

}  // namespace
}  // namespace atelier::text
