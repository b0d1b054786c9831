// Byte-pair encoding by shortcuts against byte-pair encoding by the book.
#include "atelier/tokenize/bpe.h"

#include <gtest/gtest.h>

#include <random>

#include "atelier/tokenize/byte_level.h"
#include "atelier/tokenize/concat_bpe.h"

namespace atelier::tokenize {
namespace {

std::vector<TokenId> ids_of(const std::vector<ModelToken>& tokens) {
  std::vector<TokenId> ids;
  for (const ModelToken& token : tokens) ids.push_back(token.id);
  return ids;
}

// The 256 bytes and `count` concatenations of two tokens before them.
Vocabulary random_ranks(std::mt19937& random, TokenId count) {
  Vocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte) vocabulary.add(std::string(byte_to_character(static_cast<unsigned char>(byte))), byte);
  const auto draw = [&]() -> std::string {
    const bool is_byte = vocabulary.size() == 256 || random() % 2 == 0;
    const auto id = is_byte ? static_cast<TokenId>('a' + random() % 3) : static_cast<TokenId>(256 + random() % (vocabulary.size() - 256));
    return *vocabulary.token(id);
  };
  while (vocabulary.size() < 256 + count) {
    const std::string token = draw() + draw();
    if (!vocabulary.find(token)) vocabulary.add(token, static_cast<TokenId>(vocabulary.size()));
  }
  return vocabulary;
}

std::vector<uint32_t> ranks_of(const Vocabulary& vocabulary) {
  std::vector<uint32_t> ranks(static_cast<size_t>(vocabulary.size()));
  for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = static_cast<uint32_t>(i);
  return ranks;
}

TEST(bpe, pairs_recovered_from_ranks_give_what_the_ranks_give) {
  std::mt19937 random(5);
  int num_recovered = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const uint32_t seed = static_cast<uint32_t>(random());
    const auto make = [&] {
      std::mt19937 fixed(seed);
      return random_ranks(fixed, 1 + static_cast<TokenId>(seed % 25));
    };
    Vocabulary vocabulary = make(), same = make();
    const std::unique_ptr<Bpe> bpe = Bpe::from_ranks(vocabulary);
    if (bpe == nullptr) {
      EXPECT_EQ(vocabulary.size(), same.size());  // it is still there
      continue;
    }
    ++num_recovered;
    auto ranks = ranks_of(same);
    const ConcatBpe concat(std::move(same), std::move(ranks), {.takes_whole_pieces = true});
    for (int i = 0; i < 100; ++i) {
      std::string text(1 + random() % 60, ' ');
      for (char& c : text) c = static_cast<char>('a' + random() % 3);
      std::vector<ModelToken> expected, actual;
      ASSERT_TRUE(concat.tokenize_bytes(text, expected).ok());
      ASSERT_TRUE(bpe->tokenize_bytes(text, actual).ok());
      ASSERT_EQ(ids_of(actual), ids_of(expected)) << text;
    }
  }
  EXPECT_GT(num_recovered, 20);
}

TEST(bpe, ranks_that_no_training_gives_are_left_alone) {
  std::mt19937 random(1);
  Vocabulary vocabulary = random_ranks(random, 0);
  vocabulary.add("abc", 256);  // neither "ab" nor "bc" comes before it
  vocabulary.add("ab", 257);
  EXPECT_EQ(Bpe::from_ranks(vocabulary), nullptr);
  EXPECT_EQ(vocabulary.find("abc"), 256);
}

std::vector<ModelToken> tokenize_words(const Model& model, std::string_view text) {
  std::vector<ModelToken> out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = begin + model.next_cut(text.substr(begin), 0);
    const size_t num_before = out.size();
    EXPECT_TRUE(model.tokenize(text.substr(begin, end - begin), out).ok());
    for (size_t i = num_before; i < out.size(); ++i) {
      out[i].begin += static_cast<uint32_t>(begin);
      out[i].end += static_cast<uint32_t>(begin);
    }
    begin = end;
  }
  return out;
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kParts = {"a", "b", "▁", "▁a", "\n", "é", "▁▁", "日"};
  std::string text;
  for (size_t i = 1 + random() % 30; i > 0; --i) text += kParts[random() % kParts.size()];
  return text;
}

void expect_words_give_the_whole(const Model& model, std::mt19937& random) {
  for (int i = 0; i < 200; ++i) {
    const std::string text = random_text(random);
    std::vector<ModelToken> whole;
    ASSERT_TRUE(model.tokenize(text, whole).ok());
    const std::vector<ModelToken> words = tokenize_words(model, text);
    ASSERT_EQ(ids_of(words), ids_of(whole)) << text;
    for (size_t j = 0; j < words.size(); ++j) {
      ASSERT_EQ(words[j].begin, whole[j].begin);
      ASSERT_EQ(words[j].end, whole[j].end);
    }
  }
}

// Random merges over a few characters, some of them across the border of a word.
TEST(bpe, a_text_word_by_word_gives_what_the_whole_gives) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 100; ++trial) {
    Vocabulary vocabulary;
    std::vector<std::pair<std::string, std::string>> merges;
    const auto add = [&](const std::string& token) { vocabulary.add(token, static_cast<TokenId>(vocabulary.size())); };
    for (const char* token : {"<unk>", "a", "b", "▁", "\n"}) {
      if (token[0] != '\n' || trial % 3 != 0) add(token);
    }
    const std::vector<std::string> pool = {"a", "b", "▁", "▁", "a"};
    std::vector<std::string> made = pool;
    for (int i = 0; i < 8; ++i) {
      const std::string left = made[random() % made.size()], right = made[random() % made.size()];
      const bool crosses = right.starts_with("▁") && !left.ends_with("▁");
      if (vocabulary.find(left + right) || (crosses && trial % 2 != 0)) continue;
      add(left + right);
      made.push_back(left + right);
      merges.emplace_back(left, right);
    }
    BpeOptions options;
    options.unk_token = "<unk>";
    options.fuse_unk = trial % 5 != 0;
    expect_words_give_the_whole(*Bpe::create(std::move(vocabulary), merges, options, "random").value(), random);

    Vocabulary pieces;
    std::vector<float> scores;
    for (const std::string& token : made) {
      if (pieces.find(token)) continue;
      pieces.add(token, static_cast<TokenId>(pieces.size()));
      scores.push_back(-static_cast<float>(random() % 6));
    }
    pieces.add("<unk>", static_cast<TokenId>(pieces.size()));
    scores.push_back(0);
    ConcatBpeOptions concat;
    concat.unk_id = static_cast<TokenId>(pieces.size()) - 1;
    const ConcatBpe model(std::move(pieces), ConcatBpe::ranks_of_scores(scores), std::move(concat));
    expect_words_give_the_whole(model, random);
  }
}

}  // namespace
}  // namespace atelier::tokenize
