#include "atelier/tokenize/trainers/seed_pieces.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

std::vector<std::pair<char32_t, uint64_t>> characters_of(const std::vector<CountedWord>& words) {
  std::map<char32_t, uint64_t> counts;
  for (const CountedWord& word : words) {
    for (const char32_t c : text::to_code_points(word.word)) counts[c] += word.count;
  }
  return {counts.begin(), counts.end()};
}

// Every substring of 2 to `max_length` ASCII characters that occurs twice or more and is not always followed by the same character.
std::map<std::string, uint64_t> substrings_by_counting(const std::vector<CountedWord>& words, size_t max_length) {
  std::map<std::string, uint64_t> counts;
  std::map<std::string, std::set<int>> followers;
  for (const CountedWord& word : words) {
    for (size_t begin = 0; begin < word.word.size(); ++begin) {
      for (size_t length = 2; length <= max_length && begin + length <= word.word.size(); ++length) {
        const std::string piece(word.word.substr(begin, length));
        counts[piece] += word.count;
        followers[piece].insert(begin + length < word.word.size() ? word.word[begin + length] : -1);
      }
    }
  }
  std::map<std::string, uint64_t> out;
  for (const auto& [piece, count] : counts) {
    const bool ends_somewhere = followers[piece].contains(-1);
    if (count >= 2 && (ends_somewhere || followers[piece].size() > 1)) out[piece] = count * piece.size();
  }
  return out;
}

TEST(SeedPieces, are_the_substrings_that_counting_finds) {
  const std::vector<CountedWord> words = {{"banana", 3}, {"bananas", 1},  {"ananas", 2}, {"nab", 1}, {"cab", 1},
                                          {"abcabc", 7}, {"aaaaaaaa", 1}, {"xyz", 1},    {"q", 9},   {"banana", 1}};
  const auto characters = characters_of(words);
  for (const size_t max_length : {size_t{3}, size_t{16}}) {
    const std::vector<SeedPiece> seeds = find_seed_pieces(words, characters, 1000, max_length);
    std::map<std::string, uint64_t> found;
    for (size_t i = characters.size(); i < seeds.size(); ++i) found[seeds[i].text] = seeds[i].score;
    EXPECT_EQ(found, substrings_by_counting(words, max_length));
    EXPECT_EQ(found.size(), seeds.size() - characters.size());
  }
}

TEST(SeedPieces, the_characters_come_first_and_the_best_pieces_after_them) {
  const std::vector<CountedWord> words = {{"abc", 5}, {"ab", 10}, {"xyz", 2}};
  const auto characters = characters_of(words);
  const std::vector<SeedPiece> seeds = find_seed_pieces(words, characters, 2, 16);
  ASSERT_EQ(seeds.size(), characters.size() + 2);
  EXPECT_EQ(seeds[0].text, "a");
  EXPECT_EQ(seeds[0].score, 15u);
  EXPECT_EQ(seeds[6].text, "ab");
  EXPECT_EQ(seeds[6].score, 30u);
  EXPECT_EQ(seeds[7].text, "abc");
}

TEST(SeedPieces, no_piece_crosses_a_space_or_a_script) {
  const std::vector<CountedWord> words = {{"▁ab▁ab", 5}, {"abжд", 5}};
  std::set<std::string> found;
  for (const SeedPiece& seed : find_seed_pieces(words, characters_of(words), 1000, 16)) found.insert(seed.text);
  EXPECT_TRUE(found.contains("▁ab"));
  EXPECT_TRUE(found.contains("жд"));
  EXPECT_FALSE(found.contains("▁ab▁ab"));
  EXPECT_FALSE(found.contains("abжд"));
}

}  // namespace
}  // namespace atelier::tokenize
