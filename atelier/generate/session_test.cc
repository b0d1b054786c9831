#include "atelier/generate/session.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/generation_fakes.h"

namespace atelier::generate {
namespace {

std::vector<int32_t> bytes(const std::string& text) { return ByteTokenizer().encode(text, {})->ids; }

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    options.sampling.temperature = 0;
    options.stop_ids = {ByteTokenizer::kEnd};
    hooks.on_text = [this](std::string_view text) { pieces.emplace_back(text); };
    hooks.on_token = [this](const TokenReport& report) { reports.push_back(report); };
    hooks.on_prompt_token = [this](const TokenReport& report) { prompt_reports.push_back(report); };
  }
  Result<Generation> run(Session& session, const std::string& prompt) { return session.generate(bytes(prompt), options, hooks); }

  ByteTokenizer tokenizer;
  ScriptedModel model{"Hello, wörld. END of it"};
  GenerateOptions options;
  GenerateHooks hooks;
  std::vector<std::string> pieces;
  std::vector<TokenReport> reports, prompt_reports;
};

TEST_F(SessionTest, streams_the_answer_until_the_stop_token) {
  Session session(model, &tokenizer);
  const auto generation = run(session, "Hello");
  ASSERT_TRUE(generation.ok()) << generation.status().message();
  EXPECT_EQ(generation->text, ", wörld. END of it");
  EXPECT_EQ(generation->finish, FinishReason::kStopToken);
  EXPECT_EQ(generation->ids.size(), generation->text.size()) << "the stop token is not part of the answer";
  EXPECT_EQ(reports.size(), generation->ids.size());
}

TEST_F(SessionTest, never_hands_out_half_a_character) {
  Session session(model, &tokenizer);
  ASSERT_TRUE(run(session, "Hello").ok());
  bool has_whole_character = false;
  for (const std::string& piece : pieces) has_whole_character |= piece.find("ö") != std::string::npos;
  EXPECT_TRUE(has_whole_character);
}

TEST_F(SessionTest, a_stop_string_across_tokens_is_never_emitted) {
  options.stop_strings = {"nothing", "END"};
  Session session(model, &tokenizer);
  const auto generation = run(session, "Hello");
  EXPECT_EQ(generation->text, ", wörld. ");
  EXPECT_EQ(generation->finish, FinishReason::kStopString);
  EXPECT_EQ(generation->stop_string, "END");
}

TEST_F(SessionTest, ends_at_the_limit_of_tokens_without_computing_more) {
  options.max_tokens = 3;
  Session session(model, &tokenizer);
  const auto generation = run(session, "Hello");
  EXPECT_EQ(generation->text, ", w");
  EXPECT_EQ(generation->finish, FinishReason::kLength);
  EXPECT_EQ(model.num_forwarded, 5 + 2);
}

TEST_F(SessionTest, a_full_context_is_a_reason_of_its_own) {
  ScriptedModel small("Hello, world", 8);
  Session session(small, &tokenizer);
  const auto generation = run(session, "Hello");
  EXPECT_EQ(generation->finish, FinishReason::kContextFull);
  EXPECT_EQ(generation->text, ", wo") << "the token that no longer fits is still said";
}

TEST_F(SessionTest, a_prompt_that_does_not_fit_is_refused_with_both_numbers) {
  ScriptedModel small("Hello", 5);
  Session session(small, &tokenizer);
  const Status status = run(session, "Hello").status();
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_NE(status.message().find("5 tokens, the context of 5"), std::string::npos) << status.message();
  EXPECT_FALSE(run(session, "").ok());
}

TEST_F(SessionTest, the_next_turn_computes_only_what_is_new) {
  Session session(model, &tokenizer);
  options.max_tokens = 4;
  ASSERT_TRUE(run(session, "Hello").ok());
  model.num_forwarded = 0;
  options.max_tokens = 1;
  const auto generation = run(session, "Hello, w!");
  EXPECT_EQ(generation->num_reused, 8) << "the prompt and the three tokens of the answer that were run";
  EXPECT_EQ(model.num_forwarded, 1);
  EXPECT_EQ(model.cached, bytes("Hello, w!"));
}

TEST_F(SessionTest, the_same_prompt_again_computes_its_last_token) {
  Session session(model, &tokenizer);
  options.max_tokens = 2;
  const auto first = run(session, "Hello");
  const auto second = run(session, "Hello");
  EXPECT_EQ(second->num_reused, 4);
  EXPECT_EQ(first->ids, second->ids);
}

TEST_F(SessionTest, cancelling_ends_the_answer_and_keeps_what_was_said) {
  int tokens_left = 4;  // asked once for the prompt
  hooks.is_cancelled = [&] { return tokens_left-- == 0; };
  Session session(model, &tokenizer);
  const auto generation = run(session, "Hello");
  EXPECT_EQ(generation->finish, FinishReason::kCancelled);
  EXPECT_EQ(generation->text, ", w");
}

TEST_F(SessionTest, reports_the_models_own_probabilities_and_alternatives) {
  options.num_top = 2;
  options.max_tokens = 1;
  options.report_prompt = true;
  Session session(model, &tokenizer);
  ASSERT_TRUE(run(session, "Hxllo").ok());
  const double likely = 2 - std::log(std::exp(2.0) + 256), other = -std::log(std::exp(2.0) + 256);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].id, ',');
  EXPECT_NEAR(reports[0].logprob, likely, 1e-6);
  ASSERT_EQ(reports[0].top.size(), 2u);
  EXPECT_EQ(reports[0].top[0].id, ',');
  EXPECT_NEAR(reports[0].top[1].logprob, other, 1e-6);
  ASSERT_EQ(prompt_reports.size(), 4u) << "every token of the prompt but the first";
  EXPECT_EQ(prompt_reports[0].id, 'x');
  EXPECT_NEAR(prompt_reports[0].logprob, other, 1e-6);
  EXPECT_NEAR(prompt_reports[1].logprob, likely, 1e-6);
}

TEST_F(SessionTest, reports_probabilities_after_the_samplers_when_asked) {
  options.sampling.temperature = 1;
  options.sampling.top_k = 1;
  options.report_sampled = true;
  options.num_top = 3;
  options.max_tokens = 1;
  Session session(model, &tokenizer);
  ASSERT_TRUE(run(session, "Hello").ok());
  EXPECT_EQ(reports[0].logprob, 0) << "the only token left has probability 1";
  EXPECT_EQ(reports[0].top.size(), 1u);
}

TEST_F(SessionTest, a_logit_that_is_no_number_is_an_error) {
  model.is_broken = true;
  Session session(model, &tokenizer);
  EXPECT_EQ(run(session, "Hello").status().code(), StatusCode::kCorrupt);
}

TEST_F(SessionTest, works_on_ids_alone_without_a_tokenizer) {
  Session session(model, nullptr);
  options.max_tokens = 2;
  const auto generation = run(session, "Hello");
  EXPECT_EQ(generation->ids, bytes(", "));
  EXPECT_EQ(generation->text, "");
  options.stop_strings = {"x"};
  EXPECT_FALSE(run(session, "Hello").ok());
}

}  // namespace
}  // namespace atelier::generate
