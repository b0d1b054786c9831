#include "atelier/text/regex.h"

#include <gtest/gtest.h>

#include <chrono>

namespace atelier::text {
namespace {

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
  Result<Regex> regex = Regex::compile(pattern, "test");
  EXPECT_TRUE(regex.ok()) << regex.status().message();
  std::vector<std::string> found;
  const Status status = regex->find_all(text, [&](size_t begin, size_t end) { found.emplace_back(text.substr(begin, end - begin)); });
  EXPECT_TRUE(status.ok()) << status.message();
  return found;
}

using Strings = std::vector<std::string>;
constexpr const char* kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

TEST(regex, gpt2_pattern_keeps_the_last_space_for_the_next_word) {
  EXPECT_EQ(matches(kGpt2, "I'm  here, 42 times\n"), (Strings{"I", "'m", " ", " here", ",", " 42", " times", "\n"}));
}

TEST(regex, the_first_alternative_that_matches_wins) { EXPECT_EQ(matches("a|ab", "ab"), Strings{"a"}); }

TEST(regex, possessive_loops_give_nothing_back) {
  EXPECT_EQ(matches("a++a", "aaa"), Strings{});
  EXPECT_EQ(matches("a+a", "aaa"), Strings{"aaa"});
  EXPECT_EQ(matches("(?>a|ab)c", "abc"), Strings{});
}

TEST(regex, an_interval_with_a_plus_is_repeated_not_possessive) { EXPECT_EQ(matches("a{1,2}+", "aaaaa"), Strings{"aaaaa"}); }

TEST(regex, lazy_loops_stop_early) { EXPECT_EQ(matches("a+?b?", "aab"), (Strings{"a", "ab"})); }

TEST(regex, classes_nest_and_intersect) {
  EXPECT_EQ(matches("[a-z&&[^aeiou]]+", "hello"), (Strings{"h", "ll"}));
  EXPECT_EQ(matches("[[:digit:]\\-x]+", "1-x y"), Strings{"1-x"});
  EXPECT_EQ(matches("[]a]+", "]a]"), Strings{"]a]"});
}

TEST(regex, case_is_folded_inside_a_flag_group_only) {
  EXPECT_EQ(matches("(?i:'s|'LL)x?", "'S'll'ſX"), (Strings{"'S", "'ll", "'ſ"}));
  EXPECT_EQ(matches("a(?i)b|c", "aBC"), (Strings{"aB", "C"}));
}

TEST(regex, look_behind_takes_alternatives_of_different_lengths) {
  EXPECT_EQ(matches("(?<=a|bc)x", "ax cx bcx"), (Strings{"x", "x"}));
  EXPECT_EQ(matches("(?<!a|bc)x", "ax cx bcx"), Strings{"x"});
}

TEST(regex, anchors_hold_at_lines_as_in_ruby) {
  EXPECT_EQ(matches("^a", "a\na"), (Strings{"a", "a"}));
  EXPECT_EQ(matches("a$", "a\na"), (Strings{"a", "a"}));
  EXPECT_EQ(matches("\\Aa", "a\na"), Strings{"a"});
  EXPECT_EQ(matches("\\bé\\w*", "l'été ému"), (Strings{"été", "ému"}));
}

TEST(regex, an_empty_match_directly_after_a_match_is_left_out) { EXPECT_EQ(matches("a*", "baac"), (Strings{"", "aa", ""})); }

TEST(regex, loops_over_empty_bodies_end) {
  EXPECT_EQ(matches("(a*)*b", "aab"), Strings{"aab"});
  EXPECT_EQ(matches("(a|b*)*c", "abbac"), Strings{"abbac"});
  EXPECT_EQ(matches("(?:|a)+", "aa"), (Strings{"", "", ""}));
}

TEST(regex, long_runs_take_linear_time) {
  const auto begin = std::chrono::steady_clock::now();
  std::string spaces(1 << 18, ' ');
  spaces += 'x';
  EXPECT_EQ(matches("\\s+$", spaces), Strings{});
  EXPECT_EQ(matches("(?:\\s|\\t)+y", spaces), Strings{});
  EXPECT_EQ(matches("\\s++y", spaces), Strings{});
  EXPECT_EQ(matches(kGpt2, spaces).size(), 2u);
  EXPECT_EQ(matches("a.*b|a", std::string(1 << 16, 'a')).size(), size_t{1} << 16);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 20.0);  // minutes if it were quadratic; generous for sanitizers
}

TEST(regex, what_is_not_understood_is_refused_with_its_place) {
  for (const char* pattern : {"(a", "a)", "[a", "*a", "(?<=a+)b", "(a)\\1", "\\p{Nonsense}", "a{3,1}", "[z-a]", "\\", "(?y)a"}) {
    EXPECT_FALSE(Regex::compile(pattern, "test").ok()) << pattern;
  }
  EXPECT_FALSE(Regex::compile(std::string(5000, '('), "test").ok());
  EXPECT_FALSE(Regex::compile("((((a{1000}){1000}){1000}){1000})", "test").ok());
}

}  // namespace
}  // namespace atelier::text
