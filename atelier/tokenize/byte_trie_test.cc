#include "atelier/tokenize/byte_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace atelier::tokenize {
namespace {

// The value of exactly `text`, or kNoValue; also when no entry begins with it.
int32_t find(const ByteTrie& trie, std::string_view text) {
  ByteTrie::Node node = ByteTrie::kRoot;
  for (const char c : text) {
    node = trie.step(node, static_cast<unsigned char>(c));
    if (node == ByteTrie::kRoot) return ByteTrie::kNoValue;
  }
  return trie.value(node);
}

TEST(ByteTrieTest, AnEmptyTrieLeadsNowhere) {
  const ByteTrie trie;
  EXPECT_TRUE(trie.empty());
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(trie.step(ByteTrie::kRoot, static_cast<unsigned char>(byte)), ByteTrie::kRoot);
  EXPECT_EQ(trie.value(ByteTrie::kRoot), ByteTrie::kNoValue);
}

TEST(ByteTrieTest, FindsWhatAMapFinds) {
  std::mt19937 random(7);
  // Few letters for deep shared beginnings, every byte for wide nodes.
  const auto draw = [&](int num_letters, size_t max_size) {
    std::string text(1 + random() % max_size, '\0');
    for (char& c : text) c = static_cast<char>(random() % static_cast<unsigned>(num_letters));
    return text;
  };
  std::map<std::string, int32_t> expected;
  for (int32_t i = 0; i < 3000; ++i) expected[i % 2 == 0 ? draw(3, 12) : draw(256, 3)] = i;
  std::vector<std::pair<std::string_view, int32_t>> entries(expected.begin(), expected.end());
  const ByteTrie trie(entries);
  EXPECT_FALSE(trie.empty());
  for (const auto& [text, value] : expected) EXPECT_EQ(find(trie, text), value);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = i % 2 == 0 ? draw(3, 13) : draw(256, 3);
    const auto found = expected.find(text);
    EXPECT_EQ(find(trie, text), found == expected.end() ? ByteTrie::kNoValue : found->second);
  }
}

TEST(ByteTrieTest, TheLastOfEqualStringsCounts) {
  const ByteTrie trie({{"ab", 1}, {"ab", 2}, {"a", 3}});
  EXPECT_EQ(find(trie, "ab"), 2);
  EXPECT_EQ(find(trie, "a"), 3);
  EXPECT_EQ(find(trie, "b"), ByteTrie::kNoValue);
}

}  // namespace
}  // namespace atelier::tokenize
