#include "atelier/tokenize/jinja/text.h"

#include <gtest/gtest.h>

namespace atelier::tokenize::jinja {
namespace {

std::string runs_of(const Text& text) {
  std::string out;
  size_t begin = 0;
  for (const Run& run : text.runs()) {
    out += std::to_string(run.origin) + ":" + text.bytes().substr(begin, run.end - begin) + " ";
    begin = run.end;
  }
  return out;
}

TEST(Text, neighbours_of_one_origin_are_one_run) {
  Budget budget;
  TextBuilder builder(budget);
  builder.append("ab", 1);
  builder.append("", 2);
  builder.append("c", 1);
  builder.append("d", 2);
  EXPECT_EQ(runs_of(builder.finish()), "1:abc 2:d ");
}

TEST(Text, a_slice_cuts_runs_at_its_ends) {
  Budget budget;
  TextBuilder builder(budget);
  builder.append("abc", 1);
  builder.append("def", 2);
  builder.append("ghi", 3);
  Text text = builder.finish();
  builder.append(text, 1, 7);
  EXPECT_EQ(runs_of(builder.finish()), "1:bc 2:def 3:g ");
  builder.append(text, 3, 6);
  EXPECT_EQ(runs_of(builder.finish()), "2:def ");
  builder.append(text, 4, 4);
  EXPECT_EQ(runs_of(builder.finish()), "");
}

TEST(Text, the_origin_of_the_whole_is_the_first_that_is_not_the_templates) {
  Budget budget;
  TextBuilder builder(budget);
  builder.append("a", kTemplate);
  EXPECT_EQ(builder.finish().origin(), kTemplate);
  builder.append("a", kTemplate);
  builder.append("b", 7);
  builder.append("c", 3);
  EXPECT_EQ(builder.finish().origin(), 7u);
}

TEST(Text, positions_count_code_points) {
  Text text("aé日😀b", kTemplate);
  EXPECT_EQ(text.length(), 5u);
  EXPECT_EQ(text.byte_of(2), 3u);
  EXPECT_EQ(text.byte_of(4), 10u);
  EXPECT_EQ(text.byte_of(99), text.size());
}

TEST(Text, a_text_gives_its_bytes_back_to_the_budget) {
  Budget budget;
  TextBuilder builder(budget);
  for (size_t i = 0; i < 100; ++i) {
    builder.append(std::string(kMaxText / 2, 'x'), kTemplate);
    builder.finish();
  }
  builder.append(std::string(kMaxText, 'x'), kTemplate);
  EXPECT_THROW(builder.append("x", kTemplate), TemplateError);
}

}  // namespace
}  // namespace atelier::tokenize::jinja
