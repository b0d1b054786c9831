#include "atelier/tokenize/word_cache.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace atelier::tokenize {
namespace {

std::vector<ModelToken> tokens_of(std::string_view word) {
  std::vector<ModelToken> tokens;
  for (uint32_t i = 0; i < word.size() % 7; ++i) {
    tokens.push_back({static_cast<TokenId>(hash_bytes(word) & 0xFFFF) + static_cast<TokenId>(i), i, static_cast<uint32_t>(word.size())});
  }
  return tokens;
}

void expect_entry(const WordCache::Entry& entry, const std::vector<ModelToken>& tokens) {
  ASSERT_EQ(entry.num_tokens, tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(entry.ids[i], tokens[i].id);
    EXPECT_EQ(entry.begins[i], tokens[i].begin);
    EXPECT_EQ(entry.ends[i], tokens[i].end);
  }
}

TEST(word_cache, a_word_is_found_with_its_own_tokens_or_not_at_all) {
  WordCache cache;
  std::mt19937 random(1);
  size_t num_found = 0;
  for (int i = 0; i < 400000; ++i) {
    std::string text(40, 'x');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    const auto begin = static_cast<uint32_t>(random() % 30);
    const auto length = static_cast<uint32_t>(1 + random() % std::min<uint32_t>(WordCache::kMaxBytes, 40 - begin));
    const std::string_view word = std::string_view(text).substr(begin, length);
    const WordCache::Key key = WordCache::key_of(text, {begin, begin + length});
    if (const WordCache::Entry* entry = cache.find(key)) {
      ++num_found;
      expect_entry(*entry, tokens_of(word));
    } else {
      cache.insert(key, tokens_of(word));
    }
  }
  EXPECT_GT(num_found, 10000u);
}

TEST(word_cache, words_that_end_at_the_end_of_the_text_have_the_same_key) {
  const std::string word = std::string("end\0.", 5) + std::string(1, '\0');
  const std::string longer = word + std::string(60, 'y');
  const auto length = static_cast<uint32_t>(word.size());
  EXPECT_EQ(WordCache::key_of(word, {0, length}), WordCache::key_of(longer, {0, length}));
  EXPECT_NE(WordCache::key_of(word, {0, length}), WordCache::key_of(word, {0, length - 1}));  // a NUL counts
}

TEST(word_cache, words_of_too_many_tokens_are_left_out) {
  WordCache cache;
  const WordCache::Key key = WordCache::key_of("abcdef", {0, 6});
  cache.insert(key, tokens_of("abcdef"));
  EXPECT_EQ(cache.find(key), nullptr);
}

TEST(word_caches, a_thread_gets_its_own_cache_back) {
  WordCaches caches;
  const WordCache* first = nullptr;
  {
    const WordCaches::Lease lease(caches);
    first = &*lease;
    const WordCaches::Lease second(caches);
    EXPECT_NE(&*second, first);
  }
  const WordCaches::Lease again(caches);
  EXPECT_EQ(&*again, first);
}

}  // namespace
}  // namespace atelier::tokenize
