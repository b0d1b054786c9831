// The ways to ids give one and the same: with offsets or without, with cold caches or warm ones, alone, in a batch, in parts.
#include <gtest/gtest.h>

#include <random>

#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "atelier/parallel/parallel.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {
namespace {

const std::string kFolder = std::string(ATELIER_SOURCE_DIR) + "/tests/golden/tokenizers/";

class EncodePaths : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string& name = GetParam();
    if (name.starts_with("sp_")) {
      tokenizer_ = Tokenizer::from_sentencepiece(io::read_file(kFolder + name + ".model").value(), name).value();
    } else {
      const Json golden = Json::parse(io::read_file(kFolder + name + ".json").value(), name).value();
      tokenizer_ = Tokenizer::from_tokenizer_json(golden.find("tokenizer")->dump(), name).value();
    }
    const Json texts = Json::parse(io::read_file(kFolder + "texts.json").value(), "texts").value();
    for (const Json& text : texts.as_array()) texts_.push_back(text.as_string());
  }
  void TearDown() override { set_num_threads(available_cores()); }

  // Lines of all kinds of text, with every sort of line end between them.
  std::string long_text() const {
    static constexpr const char* kBetween[] = {"\n", "\n", "\n\n", " \n", "\r\n", "!\n", "\n ", " ", "7\n3", "\nA\u0301", "-\n/"};
    std::mt19937 random(3);
    std::string text;
    while (text.size() < (size_t{300} << 10)) text += texts_[random() % texts_.size()] + kBetween[random() % std::size(kBetween)];
    return text;
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<std::string> texts_;
};

TEST_P(EncodePaths, ids_do_not_depend_on_offsets_batches_or_what_came_before) {
  const std::vector<std::string_view> views(texts_.begin(), texts_.end());
  for (const EncodeOptions options : {EncodeOptions{}, EncodeOptions{.add_special_tokens = false, .parse_special = true}}) {
    const auto batch = tokenizer_->encode_batch(views, options).value();
    for (size_t i = 0; i < texts_.size(); ++i) {
      const Encoding first = tokenizer_->encode(texts_[i], options).value();
      const Encoding again = tokenizer_->encode(texts_[i], options).value();
      EXPECT_EQ(first.ids, again.ids);
      EXPECT_EQ(first.offsets, again.offsets);
      EXPECT_EQ(tokenizer_->encode_ids(texts_[i], options).value(), first.ids);
      EXPECT_EQ(batch[i], first.ids);
    }
  }
}

TEST_P(EncodePaths, threads_that_share_a_long_text_give_the_ids_of_one) {
  const std::string text = long_text();
  for (const EncodeOptions options : {EncodeOptions{}, EncodeOptions{.add_special_tokens = false, .parse_special = true}}) {
    const std::vector<TokenId> expected = tokenizer_->encode(text, options).value().ids;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      EXPECT_EQ(tokenizer_->encode_long(text, options).value(), expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(kinds, EncodePaths,
                         testing::Values("gpt2", "smollm", "llama3", "qwen2", "o200k", "bloom", "falcon", "deepseek_coder", "deepseek_llm",
                                         "deepseek_v3", "llama", "bert", "gpt1", "word_level", "unigram", "unigram_bytes", "sp_bpe",
                                         "sp_unigram", "sp_bpe_unk"),
                         [](const auto& kind) { return kind.param; });

// The golden tokenizers have a token that takes white space along; without added tokens these texts are cut.
TEST(encode_long, is_cut_between_lines_where_no_added_token_forbids_it) {
  for (const char* name : {"gpt2", "smollm", "llama3", "qwen2", "o200k", "bert"}) {
    const Json golden = Json::parse(io::read_file(kFolder + name + ".json").value(), name).value();
    Json json = Json::object();
    for (const auto& [key, value] : golden.find("tokenizer")->as_object()) {
      if (key != "added_tokens") json.set(key, value);
    }
    const auto tokenizer = Tokenizer::from_tokenizer_json(json.dump(), name).value();
    std::mt19937 random(9);
    static constexpr const char* kParts[] = {"a",    "B",  "7",       "12345",  "!",  "'", "s",    " ",    "\n",
                                             "\n\n", "\t", "e\u0301", "\u0301", "中", "/", "\r\n", "word", "é"};
    std::string text;
    while (text.size() < (size_t{400} << 10)) text += kParts[random() % std::size(kParts)];
    EXPECT_EQ(tokenizer->encode_long(text).value(), tokenizer->encode(text)->ids) << name;
  }
}

TEST(encode_batch, reports_the_error_of_the_first_text_that_has_one) {
  const auto tokenizer = Tokenizer::from_tiktoken("YQ== 0\nYg== 1\n", "cl100k_base", "ranks").value();
  const std::vector<std::string_view> texts = {"ab", "c"};
  EXPECT_FALSE(tokenizer->encode_batch(texts).ok());
  EXPECT_EQ(tokenizer->encode_batch(std::vector<std::string_view>{"ab", "b"}).value(), (std::vector<std::vector<TokenId>>{{0, 1}, {1}}));
}

}  // namespace
}  // namespace atelier::tokenize
