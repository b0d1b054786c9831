#include "atelier/generate/stop_text.h"

#include <gtest/gtest.h>

namespace atelier::generate {
namespace {

TEST(StopText, lets_text_through_at_once_when_nothing_can_come_of_it) {
  StopText stop({"END"});
  EXPECT_EQ(stop.push("hello"), "hello");
  EXPECT_FALSE(stop.has_matched());
}

TEST(StopText, holds_back_what_could_become_a_stop_string_until_it_is_decided) {
  StopText stop({"<stop>"});
  EXPECT_EQ(stop.push("a <st"), "a ");
  EXPECT_EQ(stop.push("ar"), "<star");
  EXPECT_EQ(stop.push(" <"), " ");
  EXPECT_EQ(stop.finish(), "<") << "at the end nothing can come any more";
}

TEST(StopText, drops_the_stop_string_and_everything_after_it) {
  StopText stop({"END"});
  EXPECT_EQ(stop.push("one E"), "one ");
  EXPECT_EQ(stop.push("N"), "");
  EXPECT_EQ(stop.push("D two"), "");
  EXPECT_TRUE(stop.has_matched());
  EXPECT_EQ(stop.push("three") + stop.finish(), "");
}

TEST(StopText, of_several_the_first_in_the_text_wins_then_the_longest) {
  StopText stop({"cd", "b", "bcd"});
  EXPECT_EQ(stop.push("abcd"), "a");
  EXPECT_EQ(stop.matched(), "bcd");
}

TEST(StopText, finds_a_stop_string_that_begins_inside_a_failed_one) {
  StopText stop({"aab"});
  EXPECT_EQ(stop.push("aa"), "");
  EXPECT_EQ(stop.push("a"), "a");
  EXPECT_EQ(stop.push("b"), "");
  EXPECT_TRUE(stop.has_matched());
}

TEST(StopText, empty_stop_strings_never_match) {
  StopText stop({""});
  EXPECT_EQ(stop.push("x"), "x");
  EXPECT_FALSE(stop.has_matched());
}

}  // namespace
}  // namespace atelier::generate
