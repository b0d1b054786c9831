#include "atelier/tokenize/word_counter.h"

#include <gtest/gtest.h>

#include <map>

#include "atelier/io/atomic_file.h"
#include "atelier/text/character_class.h"
#include "atelier/tokenize/pre_tokenizers/split.h"
#include "tests/support/temporary_folder.h"

namespace atelier::tokenize {
namespace {

using Counts = std::map<std::string, uint64_t>;

Counts as_map(const WordCounts& counts) {
  Counts out;
  for (const CountedWord& word : counts.words()) out[std::string(word.word)] = word.count;
  EXPECT_EQ(out.size(), counts.words().size());  // each once
  return out;
}

Result<WordCounts> count(const std::vector<std::string>& paths, const CountOptions& options = {}) {
  const auto words = character_pre_tokenizer(CharacterKind(text::kWhiteSpace), SplitBehavior::kRemoved);
  ATELIER_TRY(Corpus corpus, Corpus::open(paths, "text"));
  return count_words(corpus, nullptr, words.get(), options);
}

TEST(CountWords, adds_up_over_lines_and_files) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(io::write_file(folder / "a.txt", "one two\n\ntwo three\n").ok());
  ASSERT_TRUE(io::write_file(folder / "b.jsonl", "{\"text\": \"three\\nthree été\"}\n\n{\"id\": 1, \"text\": \"\"}\n").ok());
  const WordCounts counts = count({folder / "a.txt", folder / "b.jsonl"}).value();
  EXPECT_EQ(as_map(counts), (Counts{{"one", 1}, {"two", 2}, {"three", 3}, {"été", 1}}));
  EXPECT_FALSE(counts.was_spilled());
}

TEST(CountWords, gives_the_same_from_disk) {
  const testing::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "w" + std::to_string(i * i % 7919) + (i % 10 == 9 ? "\n" : " ");
  ASSERT_TRUE(io::write_file(folder / "a.txt", text).ok());
  CountOptions spilling;
  spilling.memory_bytes = 1;
  spilling.scratch_folder = folder.path();
  const WordCounts spilled = count({folder / "a.txt"}, spilling).value();
  EXPECT_TRUE(spilled.was_spilled());
  EXPECT_EQ(as_map(spilled), as_map(count({folder / "a.txt"}).value()));
}

TEST(CountWords, a_folder_for_spilling_that_is_missing_is_an_error) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(io::write_file(folder / "a.txt", "one two\n").ok());
  CountOptions spilling;
  spilling.memory_bytes = 1;
  spilling.scratch_folder = folder / "missing";
  EXPECT_EQ(count({folder / "a.txt"}, spilling).status().code(), StatusCode::kIo);
}

TEST(CountWords, broken_json_names_its_line) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(io::write_file(folder / "a.jsonl", "{\"text\": \"a\"}\n{\"text\": \n").ok());
  EXPECT_NE(count({folder / "a.jsonl"}).status().message().find("a.jsonl:2"), std::string::npos);
}

TEST(WordTable, counts_words_of_any_bytes_and_length) {
  WordTable table;
  const std::string long_word(200000, 'x');
  for (int i = 0; i < 3; ++i) {
    table.add("a", 1);
    table.add(std::string_view("a\0b", 3), 2);
    table.add(long_word, 5);
  }
  Counts counts;
  table.for_each([&](std::string_view word, uint64_t, uint64_t n) { counts[std::string(word)] = n; });
  EXPECT_TRUE(counts == (Counts{{"a", 3}, {std::string("a\0b", 3), 6}, {long_word, 15}}));
  EXPECT_GE(table.memory_bytes(), long_word.size());
  table.clear();
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace atelier::tokenize
