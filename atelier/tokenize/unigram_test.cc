#include "atelier/tokenize/unigram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace atelier::tokenize {
namespace {

// Pieces <unk>, a, b and ab; ab costs a little more than a and b together.
std::unique_ptr<Unigram> nearly_tied(bool single_precision) {
  Vocabulary vocabulary;
  TokenId id = 0;
  for (const char* piece : {"<unk>", "a", "b", "ab"}) vocabulary.add(piece, id++);
  return Unigram::create(std::move(vocabulary), {0, -7, -7, -14.012}, {.unk_id = 0, .single_precision = single_precision}, "test").value();
}

std::string repeated(std::string_view unit, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += unit;
  return text;
}

TEST(UnigramTest, ALongTextIsCutLikeAShortOne) {
  // Total scores reach -420,000, where neighbouring float32 values lie 1/32 apart: more than what separates the two segmentations.
  const std::string text = repeated("ab", 30'000);
  for (const bool single_precision : {false, true}) {
    std::vector<ModelToken> tokens;
    ASSERT_TRUE(nearly_tied(single_precision)->tokenize(text, tokens).ok());
    EXPECT_EQ(tokens.size(), text.size()) << "single_precision " << single_precision;
    EXPECT_TRUE(std::all_of(tokens.begin(), tokens.end(), [](const ModelToken& token) { return token.id == 1 || token.id == 2; }));
  }
}

TEST(UnigramTest, NeighbouringUnknownCharactersAreOneToken) {
  std::vector<ModelToken> tokens;
  ASSERT_TRUE(nearly_tied(true)->tokenize("axyb", tokens).ok());
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[1].id, 0);
  EXPECT_EQ(tokens[1].begin, 1u);
  EXPECT_EQ(tokens[1].end, 3u);
}

TEST(UnigramTest, ScoresMustBeNumbersAndAsManyAsTokens) {
  const auto create = [](std::vector<double> scores) {
    Vocabulary vocabulary;
    vocabulary.add("a", 0);
    return Unigram::create(std::move(vocabulary), std::move(scores), {}, "test").status().message();
  };
  EXPECT_NE(create({1, 2}).find("2 scores for 1 tokens"), std::string::npos);
  EXPECT_NE(create({std::numeric_limits<double>::quiet_NaN()}).find("not a number"), std::string::npos);
}

}  // namespace
}  // namespace atelier::tokenize
