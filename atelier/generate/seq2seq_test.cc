// Answers of decoders with an encoder against transformers: greedy ones, beam searches with their scores and rules, and that company in the
// engine changes nothing.
#include <gtest/gtest.h>

#include <cmath>

#include "atelier/generate/beam_search.h"
#include "atelier/generate/default_answer.h"
#include "atelier/generate/engine.h"
#include "tests/support/generation_cases.h"
#include "tests/support/seq2seq_golden.h"

namespace atelier::generate {
namespace {

using testing::ids_of;
using testing::Seq2SeqGolden;

EarlyStopping early_stopping(const Json* value) {
  if (value == nullptr) return EarlyStopping::kNo;
  if (value->is_string()) return EarlyStopping::kNever;
  return value->as_bool() ? EarlyStopping::kYes : EarlyStopping::kNo;
}

TokenRules rules_of(const Json& json) {
  TokenRules rules;
  rules.no_repeat_ngram = json.get_int("no_repeat_ngram_size", 0).value();
  rules.min_tokens = std::max<int64_t>(0, json.get_int("min_length", 0).value() - 1);
  if (json.contains("forced_bos_token_id")) rules.forced_first = static_cast<int32_t>(json.get_int("forced_bos_token_id").value());
  if (json.contains("forced_eos_token_id")) rules.forced_last = static_cast<int32_t>(json.get_int("forced_eos_token_id").value());
  if (const Json* words = json.find("bad_words_ids")) {
    for (const Json& word : words->as_array()) rules.banned_ids.push_back(static_cast<int32_t>(word.as_array()[0].as_int()));
  }
  return rules;
}

Request request_of(const Json& golden, int64_t max_tokens) {
  Request request;
  request.prompt = ids_of(*golden.find("source"));
  request.options.sampling.temperature = 0;
  request.options.max_tokens = max_tokens;
  return request;
}

class Seq2SeqAnswers : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }
  Seq2SeqGolden golden_{GetParam()};
  std::unique_ptr<models::Model> model_ = load(golden_.folder, {.precision = Precision::kF32});
};
INSTANTIATE_TEST_SUITE_P(Models, Seq2SeqAnswers, ::testing::ValuesIn(Seq2SeqGolden::names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(Seq2SeqAnswers, greedy_ones_are_transformers) {
  ASSERT_NE(model_, nullptr);
  for (const Json& golden : golden_.json.find("greedy")->as_array()) {
    const std::vector<int32_t> ids = ids_of(*golden.find("ids"));
    const auto generation = Engine::create(*model_, {.max_sequences = 1}).value()->generate(request_of(golden, std::ssize(ids)));
    ASSERT_TRUE(generation.ok()) << generation.status().message();
    EXPECT_EQ(generation->ids, ids);
    EXPECT_EQ(generation->num_source, std::ssize(golden.find("source")->as_array()));
    EXPECT_EQ(generation->num_prompt, 1);
  }
}

TEST_P(Seq2SeqAnswers, beams_and_their_scores_are_transformers) {
  ASSERT_NE(model_, nullptr);
  for (const Json& golden : golden_.json.find("beams")->as_array()) {
    Request request = request_of(golden, golden.get_int("max_tokens").value());
    request.options.stop_ids = ids_of(*golden.find("stop_ids"));
    request.options.rules = rules_of(golden);
    request.options.beams = {.num_beams = golden.get_int("num_beams").value(),
                             .length_penalty = golden.get_double("length_penalty", 1).value(),
                             .early_stopping = early_stopping(golden.find("early_stopping"))};
    const auto generation = Engine::create(*model_, {.max_sequences = 1, .max_beams = 5}).value()->generate(request);
    ASSERT_TRUE(generation.ok()) << generation.status().message();
    const auto without_end = [&](std::vector<int32_t> ids, FinishReason finish) {
      if (finish == FinishReason::kStopToken) ids.pop_back();
      return ids;
    };
    const auto& expected = golden.find("beams")->as_array();
    if (request.options.beams.num_beams == 1) {
      EXPECT_EQ(generation->ids, without_end(ids_of(*expected[0].find("ids")), generation->finish)) << golden.dump();
      continue;
    }
    ASSERT_EQ(generation->beams.size(), expected.size()) << golden.dump();
    for (size_t i = 0; i < expected.size(); ++i) {
      const Beam& beam = generation->beams[i];
      EXPECT_EQ(beam.ids, without_end(ids_of(*expected[i].find("ids")), beam.finish)) << golden.dump();
      EXPECT_NEAR(beam.score, expected[i].get_double("score").value(), 1e-4) << golden.dump();
    }
  }
}

// To the bit, with the cache's usual type: alone, and beside others whose sources are read at other times.
TEST_P(Seq2SeqAnswers, are_the_same_whatever_runs_beside_them) {
  const auto model = load(golden_.folder, {});
  ASSERT_NE(model, nullptr);
  Request request;
  request.prompt = random_prompt(70, 1);
  request.options.max_tokens = 40;
  request.options.sampling.temperature = 0;
  request.options.beams.num_beams = 3;
  const auto alone = Engine::create(*model, {.max_sequences = 1, .max_beams = 3}).value()->generate(request);
  ASSERT_TRUE(alone.ok()) << alone.status().message();
  const auto engine = Engine::create(*model, {.max_sequences = 5, .max_beams = 3, .step_rows = 60}).value();
  for (uint64_t seed = 0; seed < 6; ++seed) {
    Request other;
    other.prompt = random_prompt(static_cast<int64_t>(20 + 9 * seed), seed);
    other.options.max_tokens = static_cast<int64_t>(3 + 5 * seed);
    ASSERT_TRUE(engine->submit(other).ok());
  }
  const auto beside = engine->generate(request);
  ASSERT_TRUE(beside.ok());
  ASSERT_EQ(beside->beams.size(), alone->beams.size());
  for (size_t i = 0; i < alone->beams.size(); ++i) {
    EXPECT_EQ(beside->beams[i].ids, alone->beams[i].ids);
    EXPECT_EQ(beside->beams[i].score, alone->beams[i].score);
  }
  while (engine->has_work()) ASSERT_TRUE(engine->step().ok());
  EXPECT_EQ(engine->metrics().kv_pages_free, engine->metrics().kv_pages);
}

TEST(Seq2SeqEngine, reads_a_source_once_for_all_beams) {
  const auto model = load(Seq2SeqGolden("t5").folder, {});
  ASSERT_NE(model, nullptr);
  const nn::KvLayout layout(model->spec(), model->kv_dtype());
  // Three pages of source, one of the start; six beams of a page each.
  const auto engine = Engine::create(*model, {.max_sequences = 1, .kv_bytes = 10 * layout.page_bytes()}).value();
  Request request;
  request.prompt = random_prompt(3 * nn::kPageTokens, 1);
  request.options.max_tokens = 20;
  request.options.sampling.temperature = 0;
  request.options.beams.num_beams = 6;
  const auto generation = engine->generate(request);
  ASSERT_TRUE(generation.ok()) << generation.status().message();
  EXPECT_EQ(generation->num_source, 3 * nn::kPageTokens);
  request.options.beams.num_beams = 7;
  EXPECT_FALSE(engine->submit(request).ok()) << "a page too many";
}

TEST(Seq2SeqEngine, refuses_what_it_cannot_do_in_one_line) {
  const auto model = load(Seq2SeqGolden("t5").folder, {});
  ASSERT_NE(model, nullptr);
  const auto engine = Engine::create(*model, {}).value();
  const auto reason = [&](auto&& change) {
    Request request;
    request.prompt = {5, 6};
    change(request);
    return std::string(engine->submit(request).status().message());
  };
  EXPECT_EQ(reason([](Request& request) { request.prompt.assign(513, 5); }),
            "source: 513 tokens, the encoder reads 512 at most; cut it into shorter texts");
  EXPECT_EQ(reason([](Request& request) { request.options.decoder_prompt = {70}; }),
            "decoder prompt: token id 70 is outside the vocabulary of 70");
  EXPECT_EQ(reason([](Request& request) { request.options.rules.forced_first = 70; }),
            "rules: the forced token 70 is outside the vocabulary of 70");
  EXPECT_NE(reason([](Request& request) { request.options.rules.no_repeat_ngram = -1; }), "");
  EXPECT_FALSE(engine->has_work());
  EXPECT_FALSE(Engine::create(*model, {.speculation = Speculation::kDraft, .draft_model = model.get()}).ok());
}

TEST(DefaultAnswer, is_what_the_files_state) {
  models::GenerationDefaults stated;
  stated.num_beams = 4;
  stated.length_penalty = 2.0;
  stated.early_stopping = true;
  stated.no_repeat_ngram = 3;
  stated.min_length = 56;
  stated.max_length = 142;
  stated.forced_last = 2;
  EXPECT_EQ(default_beams(stated).num_beams, 4);
  EXPECT_EQ(default_beams(stated).early_stopping, EarlyStopping::kYes);
  EXPECT_EQ(default_rules(stated), (TokenRules{.no_repeat_ngram = 3, .min_tokens = 55, .forced_last = 2}));
  EXPECT_EQ(default_max_tokens(stated), 141);
  EXPECT_TRUE(default_rules({}).is_empty());
  EXPECT_EQ(default_max_tokens({}), -1);
}

// GNMT's form: of two beams that end at once, log-probabilities -2 after one token and -3 after two.
TEST(LengthNormal, of_gnmt_divides_by_five_and_the_length_over_six) {
  BeamSearch search({.num_beams = 2, .length_penalty = 0.6, .length_normal = LengthNormal::kGnmt}, {0}, 2);
  const std::vector<float> logits = {std::log(0.25f), std::log(0.5f), std::log(0.25f)};
  ASSERT_TRUE(search.step(logits).ok());
  for (const BeamSearch::Finished& beam : search.finished()) EXPECT_NEAR(beam.score, std::log(0.25), 1e-6);
  std::vector<float> next;
  for (size_t i = 0; i < search.running().size(); ++i) next.insert(next.end(), logits.begin(), logits.end());
  ASSERT_TRUE(search.step(next).ok());
  ASSERT_TRUE(search.has_ended());
  ASSERT_EQ(search.finished().size(), 2u);
  EXPECT_NEAR(search.finished()[0].score, std::log(0.25) / std::pow(7.0 / 6, 0.6), 1e-6) << "0.5 x 0.5";
}

}  // namespace
}  // namespace atelier::generate
