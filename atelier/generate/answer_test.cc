#include "atelier/generate/answer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/byte_tokenizer.h"

namespace atelier::generate {
namespace {

constexpr size_t kVocabulary = 257;

std::vector<int32_t> bytes(const std::string& text) { return ByteTokenizer().encode(text, {})->ids; }

// A model that recites "Hello, wörld. END of it": the likeliest token has the logit 2, all others 0.
class AnswerTest : public testing::Test {
 protected:
  AnswerTest() {
    options.sampling.temperature = 0;
    options.stop_ids = {ByteTokenizer::kEnd};
    hooks.on_text = [this](std::string_view text) { pieces.emplace_back(text); };
    hooks.on_token = [this](const TokenReport& report) { reports.push_back(report); };
    hooks.on_prompt_token = [this](const TokenReport& report) { prompt_reports.push_back(report); };
  }

  std::vector<float> logits(size_t position) const {
    std::vector<float> row(kVocabulary, 0.0f);
    row[position < script.size() ? static_cast<unsigned char>(script[position]) : ByteTokenizer::kEnd] = 2;
    return row;
  }
  Status write(Answer& answer) const {
    while (!answer.has_ended()) {
      const std::vector<float> row = logits(answer.tokens().size());
      ATELIER_TRY(const Answer::Choice choice, answer.choose(row));
      ATELIER_RETURN_IF_ERROR(answer.take(choice, row));
    }
    return {};
  }
  Generation run(const std::string& prompt) {
    Answer answer(bytes(prompt), options, hooks, &tokenizer);
    const Status status = write(answer);
    EXPECT_TRUE(status.ok()) << status.message();
    return answer.generation();
  }
  Status error_of(const std::string& prompt) {
    Answer answer(bytes(prompt), options, hooks, &tokenizer);
    return write(answer);
  }

  std::string script = "Hello, wörld. END of it";
  ByteTokenizer tokenizer;
  GenerateOptions options;
  GenerateHooks hooks;
  std::vector<std::string> pieces;
  std::vector<TokenReport> reports, prompt_reports;
};

TEST_F(AnswerTest, streams_text_until_the_stop_token) {
  const Generation generation = run("Hello");
  EXPECT_EQ(generation.text, ", wörld. END of it");
  EXPECT_EQ(generation.finish, FinishReason::kStopToken);
  EXPECT_EQ(generation.ids.size(), generation.text.size()) << "the stop token is not part of the answer";
  EXPECT_EQ(reports.size(), generation.ids.size());
}

TEST_F(AnswerTest, never_hands_out_half_a_character) {
  run("Hello");
  bool has_whole_character = false;
  for (const std::string& piece : pieces) has_whole_character |= piece.find("ö") != std::string::npos;
  EXPECT_TRUE(has_whole_character);
}

TEST_F(AnswerTest, a_stop_string_across_tokens_is_never_emitted) {
  options.stop_strings = {"nothing", "END"};
  const Generation generation = run("Hello");
  EXPECT_EQ(generation.text, ", wörld. ");
  EXPECT_EQ(generation.finish, FinishReason::kStopString);
  EXPECT_EQ(generation.stop_string, "END");
}

TEST_F(AnswerTest, ends_at_the_limit_of_tokens_and_shows_what_was_held_back) {
  options.max_tokens = 3;
  options.stop_strings = {" with"};
  const Generation generation = run("Hello");
  EXPECT_EQ(generation.text, ", w");
  EXPECT_EQ(generation.finish, FinishReason::kLength);
}

TEST_F(AnswerTest, ended_from_outside_it_keeps_what_was_said) {
  options.stop_strings = {", world"};
  Answer answer(bytes("Hello"), options, hooks, &tokenizer);
  for (const size_t position : {5, 6}) {
    const std::vector<float> row = logits(position);
    ASSERT_TRUE(answer.take(answer.choose(row).value(), row).ok());
  }
  EXPECT_EQ(answer.generation().text, "") << "it could still become the stop string";
  ASSERT_TRUE(answer.end(FinishReason::kCancelled).ok());
  EXPECT_EQ(answer.generation().text, ", ");
  EXPECT_EQ(answer.generation().finish, FinishReason::kCancelled);
}

TEST_F(AnswerTest, reports_the_models_own_probabilities_and_alternatives) {
  options.num_top = 2;
  options.max_tokens = 1;
  const double likely = 2 - std::log(std::exp(2.0) + 256), other = -std::log(std::exp(2.0) + 256);
  Answer answer(bytes("Hxllo"), options, hooks, &tokenizer);
  for (size_t i = 1; i < 5; ++i) ASSERT_TRUE(answer.report_prompt_token(i, logits(i)).ok());
  ASSERT_TRUE(write(answer).ok());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].id, ',');
  EXPECT_NEAR(reports[0].logprob, likely, 1e-6);
  ASSERT_EQ(reports[0].top.size(), 2u);
  EXPECT_EQ(reports[0].top[0].id, ',');
  EXPECT_NEAR(reports[0].top[1].logprob, other, 1e-6);
  EXPECT_EQ(prompt_reports[0].id, 'x');
  EXPECT_NEAR(prompt_reports[0].logprob, other, 1e-6);
  EXPECT_NEAR(prompt_reports[1].logprob, likely, 1e-6);
}

TEST_F(AnswerTest, reports_probabilities_after_the_samplers_when_asked) {
  options.sampling.temperature = 1;
  options.sampling.top_k = 1;
  options.report_sampled = true;
  options.num_top = 3;
  options.max_tokens = 1;
  run("Hello");
  EXPECT_EQ(reports[0].logprob, 0) << "the only token left has probability 1";
  EXPECT_EQ(reports[0].top.size(), 1u);
}

TEST_F(AnswerTest, a_logit_that_is_no_number_is_an_error) {
  Answer answer(bytes("Hello"), options, hooks, &tokenizer);
  EXPECT_EQ(answer.choose(std::vector<float>(kVocabulary, NAN)).status().code(), StatusCode::kCorrupt);
}

TEST_F(AnswerTest, works_on_ids_alone_without_a_tokenizer) {
  options.max_tokens = 2;
  Answer answer(bytes("Hello"), options, hooks, nullptr);
  ASSERT_TRUE(write(answer).ok());
  EXPECT_EQ(answer.generation().ids, bytes(", "));
  EXPECT_EQ(answer.generation().text, "");
}

TEST_F(AnswerTest, a_mask_is_asked_once_per_position_and_decides) {
  std::vector<size_t> lengths;
  options.max_tokens = 3;
  options.mask = [&](std::span<const int32_t> answer, std::span<uint64_t> allowed) {
    lengths.push_back(answer.size());
    allowed['a' / 64] |= uint64_t{1} << 'a' % 64;
    allowed['b' / 64] |= uint64_t{1} << 'b' % 64;
    return Status();
  };
  for (const double temperature : {0.0, 1.0}) {
    options.sampling.temperature = temperature;
    lengths.clear();
    for (const int32_t id : run("Hello").ids) EXPECT_TRUE(id == 'a' || id == 'b') << id;
    EXPECT_EQ(lengths, (std::vector<size_t>{0, 1, 2}));
  }
  EXPECT_NEAR(reports[0].logprob, -std::log(std::exp(2.0) + 256), 1e-6) << "what is shown is the model's own probability";
}

TEST_F(AnswerTest, a_mask_fails_closed) {
  options.mask = [](std::span<const int32_t>, std::span<uint64_t>) { return Status(); };
  EXPECT_EQ(error_of("Hello").code(), StatusCode::kInvalidArgument) << "nothing is allowed";
  options.mask = [](std::span<const int32_t>, std::span<uint64_t>) { return Status::invalid("grammar: too deep"); };
  EXPECT_EQ(error_of("Hello").message(), "token mask: grammar: too deep");
  options.sampling.logit_bias = {{'a', -INFINITY}};
  options.mask = [](std::span<const int32_t>, std::span<uint64_t> allowed) {
    allowed['a' / 64] |= uint64_t{1} << 'a' % 64;
    return Status();
  };
  EXPECT_FALSE(error_of("Hello").ok()) << "the only allowed token is forbidden";
  EXPECT_TRUE(reports.empty());
}

}  // namespace
}  // namespace atelier::generate
