#include "atelier/base/strings.h"

#include <gtest/gtest.h>

namespace atelier {
namespace {

TEST(Strings, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split(",", ','), (std::vector<std::string_view>{"", ""}));
}

TEST(Strings, TrimTakesAsciiWhiteSpaceFromBothEnds) {
  EXPECT_EQ(trim_ascii(" \t\r\n a b \f\v"), "a b");
  EXPECT_EQ(trim_ascii(" \n"), "");
  EXPECT_EQ(trim_ascii("\xc2\xa0x"), "\xc2\xa0x") << "a no-break space is no ASCII";
}

TEST(Strings, CaseFoldsAsciiOnly) {
  EXPECT_TRUE(equals_ignoring_case("Q4_k", "q4_K"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_EQ(to_lower_ascii("ÀB"), "Àb");
}

TEST(Strings, NumbersMustBeTheWholeText) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", " 1", "1 ", "1x", "9223372036854775808", "1.0"}) EXPECT_FALSE(parse_int(text)) << text;
  EXPECT_EQ(parse_double("-1.5e3"), -1500.0);
  for (const char* text : {"", " 1", "1.5x", "1,5"}) EXPECT_FALSE(parse_double(text)) << text;
}

TEST(Strings, ReplaceAllDoesNotReadItsOwnOutput) {
  std::string s = "aXbX";
  EXPECT_TRUE(replace_all(s, "X", "XX"));
  EXPECT_EQ(s, "aXXbXX");
  EXPECT_FALSE(replace_all(s, "Y", "Z"));
  EXPECT_FALSE(replace_all(s, "", "Z"));
  std::string at_start = "XX";
  EXPECT_TRUE(replace_all(at_start, "X", ""));
  EXPECT_EQ(at_start, "");
}

TEST(Strings, QuotedIsOnePrintableLine) {
  EXPECT_EQ(quoted("a\"b\\\n\t\x01\xff"), "\"a\\\"b\\\\\\n\\t\\x01\\xff\"");
  EXPECT_EQ(quoted("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(quoted("abc", 3), "\"abc\"");
}

TEST(Strings, NearestNameIsNearOrNothing) {
  const std::vector<std::string> choices = {"generate", "tokenize", "bench"};
  EXPECT_EQ(nearest_name("genrate", choices), "generate");
  EXPECT_EQ(nearest_name("BENCH", choices), "bench");
  EXPECT_EQ(nearest_name("zzzzzz", choices), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Strings, BytesForPeople) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(uint64_t{5} << 40), "5.0 TiB");
}

TEST(Strings, JoinPutsSeparatorsBetween) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
}

TEST(Strings, sizes_read_as_people_write_them) {
  EXPECT_EQ(parse_bytes("4096"), 4096u);
  EXPECT_EQ(parse_bytes("512M"), uint64_t{512} << 20);
  EXPECT_EQ(parse_bytes("1.5 GiB"), uint64_t{3} << 29);
  EXPECT_EQ(parse_bytes("2kb"), 2048u);
  for (const char* bad : {"", "M", "-1", "4X", "1e3", "4 ib", "99999999T", "1.2.3"}) EXPECT_FALSE(parse_bytes(bad)) << bad;
}

}  // namespace
}  // namespace atelier
