#include "atelier/generate/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::generate {
namespace {

// Every row's logits give the token just run probability `p`, and remember what was run.
class EchoModel : public SequenceModel {
 public:
  explicit EchoModel(int64_t context) : context_(context) {}
  int64_t context() const override { return context_; }
  int64_t length() const override { return length_; }
  void truncate(int64_t length) override {
    length_ = length;
    windows.emplace_back();
  }
  Result<std::span<const float>> forward(std::span<const int32_t> ids, int64_t num_logits) override {
    length_ += static_cast<int64_t>(ids.size());
    windows.back().insert(windows.back().end(), ids.begin(), ids.end());
    logits_.assign(static_cast<size_t>(num_logits) * 4, 0.0f);
    for (size_t row = 0; row < static_cast<size_t>(num_logits); ++row) {
      logits_[row * 4 + static_cast<size_t>(ids[ids.size() - static_cast<size_t>(num_logits) + row])] = std::log(3.0f);  // p = 3 / 6
    }
    return std::span<const float>(logits_);
  }
  std::vector<std::vector<int32_t>> windows;

 private:
  int64_t context_, length_ = 0;
  std::vector<float> logits_;
};

TEST(Perplexity, scores_the_second_half_of_each_whole_window) {
  EchoModel model(2048);
  const std::vector<int32_t> tokens(1500, 1);
  PerplexityOptions options;  // 512
  std::vector<int64_t> indices;
  PerplexityHooks hooks;
  hooks.on_token = [&](const ScoredToken& token) { indices.push_back(token.index); };
  const auto result = perplexity(model, tokens, options, hooks);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->chunks, 2);
  EXPECT_EQ(result->tokens_scored, 2 * 255);
  EXPECT_NEAR(result->ppl(), 2.0, 1e-6) << "every token has probability one half";
  EXPECT_EQ(indices.front(), 257);
  EXPECT_EQ(indices[254], 511);
  EXPECT_EQ(indices[255], 512 + 257);
}

TEST(Perplexity, bos_replaces_the_first_token_of_each_window_but_is_not_scored) {
  EchoModel model(64);
  std::vector<int32_t> tokens;
  for (int i = 0; i < 16; ++i) tokens.push_back(i % 3);
  PerplexityOptions options;
  options.context = 8;
  options.bos = 3;
  ASSERT_TRUE(perplexity(model, tokens, options).ok());
  ASSERT_EQ(model.windows.size(), 2u);
  EXPECT_EQ(model.windows[1], (std::vector<int32_t>{3, 0, 1, 2, 0, 1, 2})) << "tokens 8 to 14; the last is only predicted";
}

TEST(Perplexity, sliding_windows_score_every_token_but_the_first_once) {
  EchoModel model(64);
  const std::vector<int32_t> tokens(21, 1);
  PerplexityOptions options;
  options.context = 8;
  options.stride = 4;
  std::vector<int64_t> indices;
  PerplexityHooks hooks;
  hooks.on_token = [&](const ScoredToken& token) { indices.push_back(token.index); };
  ASSERT_TRUE(perplexity(model, tokens, options, hooks).ok());
  ASSERT_EQ(indices.size(), 20u);
  for (size_t i = 0; i < indices.size(); ++i) EXPECT_EQ(indices[i], static_cast<int64_t>(i) + 1);
}

TEST(Perplexity, chunks_limits_the_windows_and_short_texts_are_refused) {
  EchoModel model(64);
  const std::vector<int32_t> tokens(40, 1);
  PerplexityOptions options;
  options.context = 8;
  options.max_chunks = 2;
  EXPECT_EQ(perplexity(model, tokens, options)->chunks, 2);
  options.context = 41;
  EXPECT_EQ(perplexity(model, tokens, options).status().code(), StatusCode::kOutOfRange);
  options.context = 65;
  EXPECT_EQ(perplexity(model, tokens, options).status().code(), StatusCode::kOutOfRange);
}

TEST(Perplexity, cancelling_says_how_far_it_came) {
  EchoModel model(64);
  const std::vector<int32_t> tokens(40, 1);
  PerplexityOptions options;
  options.context = 8;
  int left = 2;
  PerplexityHooks hooks;
  hooks.is_cancelled = [&] { return left-- == 0; };
  const Status status = perplexity(model, tokens, options, hooks).status();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_NE(status.message().find("2 of 5"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace atelier::generate
