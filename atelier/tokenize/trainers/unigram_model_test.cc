#include "atelier/tokenize/trainers/unigram_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace atelier::tokenize {
namespace {

std::map<std::string, double> scores_of(const UnigramModel& model) {
  std::map<std::string, double> out;
  for (const UnigramPiece& piece : model.pieces()) out[piece.text] = piece.score;
  return out;
}

// "ab" is "a" "b" with probability .3 · .2 or "ab" with .5, ten times: expected counts 10 · .06 / .56 and 10 · .5 / .56.
TEST(UnigramModel, one_step_gives_the_expected_counts_of_all_segmentations) {
  const std::vector<CountedWord> words = {{"ab", 10}};
  UnigramModel model(words, {{"a", 3}, {"b", 2}, {"ab", 5}}, 2);
  model.maximize();
  // digamma(1.0714), digamma(8.9286) and digamma(11.0714), by recurrence up to 40 and the series from there.
  const std::map<std::string, double> scores = scores_of(model);
  EXPECT_NEAR(scores.at("a"), -0.465484 - 2.358527, 1e-5);
  EXPECT_NEAR(scores.at("b"), scores.at("a"), 1e-12);
  EXPECT_NEAR(scores.at("ab"), 2.132212 - 2.358527, 1e-5);
}

TEST(UnigramModel, rare_pieces_go_and_characters_stay) {
  const std::vector<CountedWord> words = {{"ab", 100}, {"abc", 1}};
  UnigramModel model(words, {{"a", 1}, {"b", 1}, {"c", 1}, {"ab", 100}, {"bc", 1}}, 3);
  for (int i = 0; i < 5; ++i) model.maximize();
  model.remove_dead();
  EXPECT_EQ(model.num_pieces(), 4u);
  EXPECT_FALSE(scores_of(model).contains("bc"));
}

TEST(UnigramModel, pruning_keeps_what_costs_most_to_spell_otherwise) {
  const std::vector<CountedWord> words = {{"xyxyxy", 50}, {"ab", 3}};
  UnigramModel model(words, {{"a", 3}, {"b", 3}, {"x", 150}, {"y", 150}, {"ab", 6}, {"xyxyxy", 300}}, 4);
  model.prune(5);
  const std::map<std::string, double> scores = scores_of(model);
  EXPECT_EQ(scores.size(), 5u);
  EXPECT_TRUE(scores.contains("xyxyxy"));
  EXPECT_FALSE(scores.contains("ab"));
}

// A word whose probability is smaller than any number is taken in parts, and counts as often as its characters.
TEST(UnigramModel, very_long_words_count_too) {
  const std::string word(4000, 'a');
  const std::vector<CountedWord> words = {{word, 1}, {"b", 1000000}};
  UnigramModel model(words, {{"a", 1}, {"b", 1000000}}, 2);
  model.maximize();
  EXPECT_NEAR(scores_of(model).at("a"), std::log(4000.0 / 1004000.0), 1e-3);
}

}  // namespace
}  // namespace atelier::tokenize
