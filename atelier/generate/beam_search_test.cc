#include "atelier/generate/beam_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "atelier/base/json.h"
#include "atelier/generate/engine.h"
#include "atelier/io/file.h"
#include "tests/support/generation_cases.h"

namespace atelier::generate {
namespace {

std::vector<int32_t> ids_of(const Json& list) {
  std::vector<int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<int32_t>(id.as_int()));
  return ids;
}

Request beam_request(std::vector<int32_t> prompt, int64_t max_tokens, const BeamOptions& beams) {
  Request request;
  request.prompt = std::move(prompt);
  request.options.max_tokens = max_tokens;
  request.options.sampling.temperature = 0;
  request.options.beams = beams;
  return request;
}

EarlyStopping early_stopping(const Json& value) {
  if (value.is_string()) return EarlyStopping::kNever;
  return value.as_bool() ? EarlyStopping::kYes : EarlyStopping::kNo;
}

// tests/golden/make_beam_goldens.py
TEST(BeamSearch, finds_what_transformers_finds) {
  const auto cases = Json::parse(io::read_file(ATELIER_SOURCE_DIR "/tests/golden/beams.json", 1 << 20).value(), "beams.json").value();
  std::map<std::string, std::unique_ptr<models::Model>> models;
  for (const Json& golden : cases.as_array()) {
    auto& model = models[golden.get_string("model").value()];
    if (!model)
      model = load(ATELIER_SOURCE_DIR "/tests/golden/models/" + golden.get_string("model").value(), {.precision = Precision::kF32});
    const BeamOptions beams{.num_beams = golden.get_int("num_beams").value(),
                            .length_penalty = golden.get_double("length_penalty").value(),
                            .early_stopping = early_stopping(*golden.find("early_stopping"))};
    Request request = beam_request(ids_of(*golden.find("prompt")), golden.get_int("max_tokens").value(), beams);
    request.options.stop_ids = ids_of(*golden.find("stop_ids"));
    const auto generation = Engine::create(*model, {.max_sequences = 1, .max_beams = 5}).value()->generate(request);
    ASSERT_TRUE(generation.ok()) << generation.status().message();
    const auto& expected = golden.find("beams")->as_array();
    ASSERT_EQ(generation->beams.size(), expected.size()) << golden.dump();
    for (size_t i = 0; i < expected.size(); ++i) {
      std::vector<int32_t> ids = ids_of(*expected[i].find("ids"));
      if (generation->beams[i].finish == FinishReason::kStopToken) ids.pop_back();
      EXPECT_EQ(generation->beams[i].ids, ids) << golden.dump();
      EXPECT_NEAR(generation->beams[i].score, expected[i].get_double("score").value(), 1e-4) << golden.dump();
    }
    EXPECT_EQ(generation->ids, generation->beams[0].ids);
  }
}

class Beams : public ::testing::Test {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }
  std::unique_ptr<models::Model> model = load_golden("llama3", 512);
};

std::vector<std::pair<std::vector<int32_t>, double>> said(const Generation& generation) {
  std::vector<std::pair<std::vector<int32_t>, double>> beams;
  for (const Beam& beam : generation.beams) beams.emplace_back(beam.ids, beam.score);
  return beams;
}

// To the bit: alone, beside sampled requests, and from cached prefixes.
TEST_F(Beams, say_the_same_whatever_runs_beside_them) {
  const Request request = beam_request(random_prompt(130, 1), 70, {.num_beams = 4});
  const auto alone = Engine::create(*model, {.max_sequences = 1, .max_beams = 4, .keeps_prefixes = false}).value()->generate(request);
  ASSERT_TRUE(alone.ok());
  ASSERT_EQ(alone->beams.size(), 4u);
  const auto engine = Engine::create(*model, {.max_sequences = 8, .step_rows = 40}).value();
  for (int turn = 0; turn < 2; ++turn) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      Request other;
      other.prompt = random_prompt(60, seed);
      other.options.max_tokens = 30;
      ASSERT_TRUE(engine->submit(other).ok());
    }
    const auto beside = engine->generate(request);
    ASSERT_TRUE(beside.ok());
    EXPECT_EQ(said(*beside), said(*alone));
    EXPECT_EQ(beside->num_reused, turn == 0 ? 0 : 128);
  }
}

// A prompt of 3 full pages: 8 beams of one page each take 11, not 32.
TEST_F(Beams, share_the_pages_of_their_prompt) {
  const nn::KvLayout layout(model->spec(), model->kv_dtype());
  const auto engine = Engine::create(*model, {.max_sequences = 2, .kv_bytes = 11 * layout.page_bytes(), .keeps_prefixes = false}).value();
  const Request request = beam_request(random_prompt(3 * nn::kPageTokens, 1), 40, {.num_beams = 8});
  int64_t fewest_free = 11;
  Request watched = request;
  watched.hooks.is_cancelled = [&] {
    fewest_free = std::min(fewest_free, engine->metrics().kv_pages_free);
    return false;
  };
  const auto generation = engine->generate(watched);
  ASSERT_TRUE(generation.ok());
  EXPECT_EQ(generation->ids.size(), 40u);
  EXPECT_LT(fewest_free, 8) << "beams have had pages of their own";
  EXPECT_EQ(engine->metrics().kv_pages_free, 11);

  // Two at once do not fit: the second waits until the pages of all beams of the first are there again.
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(engine->submit(request).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(engine->step().ok());
  EXPECT_EQ(engine->metrics().num_running, 1);
  while (engine->has_work()) ASSERT_TRUE(engine->step().ok());
  EXPECT_EQ(engine->metrics().failed, 0);
}

TEST_F(Beams, refuse_what_they_have_no_use_for) {
  const auto engine = Engine::create(*model, {}).value();  // memory for 16 contexts
  const auto refused = [&](auto&& change) {
    Request request = beam_request({1, 2}, 5, {.num_beams = 2});
    change(request);
    return !engine->submit(request).ok();
  };
  EXPECT_TRUE(refused([](Request& request) { request.options.beams.num_beams = 65; }));
  EXPECT_TRUE(refused([](Request& request) { request.options.beams.length_penalty = NAN; }));
  EXPECT_TRUE(refused([](Request& request) { request.options.max_tokens = 0; }));
  EXPECT_TRUE(refused([](Request& request) { request.options.beams.num_beams = 20, request.options.max_tokens = -1; })) << "memory";
  EXPECT_TRUE(refused([](Request& request) { request.options.sampling.temperature = 1; }));
  EXPECT_TRUE(refused([](Request& request) { request.hooks.on_token = [](const TokenReport&) {}; }));
  EXPECT_FALSE(engine->has_work());
}

}  // namespace
}  // namespace atelier::generate
