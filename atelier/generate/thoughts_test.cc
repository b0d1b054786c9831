#include "atelier/generate/thoughts.h"

#include <gtest/gtest.h>

namespace atelier::generate {
namespace {

// "t:…" for thoughts, "a:…" for the answer, neighbours joined.
std::string split_stream(ThoughtSplitter splitter, const std::vector<std::string>& texts) {
  std::string out;
  char last = 0;
  const auto add = [&](const std::vector<ThoughtSplitter::Piece>& pieces) {
    for (const auto& piece : pieces) {
      const char kind = piece.is_thought ? 't' : 'a';
      if (kind != last) out += std::string(last ? "|" : "") + kind + ":";
      last = kind;
      out += piece.text;
    }
  };
  for (const std::string& text : texts) add(splitter.push(text));
  add(splitter.finish());
  return out;
}

TEST(ThoughtSplitter, separates_thought_and_answer_whatever_the_pieces) {
  const std::string text = "<think>\nhmm < 3</think>\n\nYes. a < b";
  const std::string want = "t:hmm < 3|a:Yes. a < b";
  EXPECT_EQ(split_stream(ThoughtSplitter(), {text}), want);
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(split_stream(ThoughtSplitter(), bytes), want);
}

TEST(ThoughtSplitter, starts_inside_when_the_prompt_opened_the_thought) {
  EXPECT_TRUE(ends_inside_thought("<|assistant|><think>\n"));
  EXPECT_FALSE(ends_inside_thought("<think>\n\n</think>\n\n"));
  EXPECT_EQ(split_stream(ThoughtSplitter(true), {"hm", "m</thi", "nk> so"}), "t:hmm|a:so");
}

TEST(ThoughtSplitter, text_without_tags_is_all_answer) { EXPECT_EQ(split_stream(ThoughtSplitter(), {"a <", " b <thin"}), "a:a < b <thin"); }

}  // namespace
}  // namespace atelier::generate
