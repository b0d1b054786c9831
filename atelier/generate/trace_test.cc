#include "atelier/generate/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "atelier/format/checkpoint.h"
#include "atelier/io/file.h"

namespace atelier::generate {
namespace {

const std::string kModels = ATELIER_SOURCE_DIR "/tests/golden/models/";

std::unique_ptr<models::Model> load(const std::string& name) {
  return models::load_model(kModels + name, {.precision = Precision::kF32}).value();
}

// tests/golden/make_trace_goldens.py
struct Golden {
  std::vector<int32_t> ids;
  std::shared_ptr<const format::Checkpoint> tensors;

  explicit Golden(const std::string& name) : tensors(format::open_checkpoint(kModels + name + "/trace.safetensors").value()) {
    const Json json = Json::parse(io::read_file(kModels + name + "/trace.json").value(), "trace.json").value();
    for (const Json& id : json.find("ids")->as_array()) ids.push_back(static_cast<int32_t>(id.as_int()));
  }
  std::vector<float> floats(const std::string& tensor) const {
    const format::TensorEntry& entry = **tensors->get(tensor);
    std::vector<float> values(static_cast<size_t>(entry.count()));
    std::memcpy(values.data(), entry.data, values.size() * sizeof(float));
    return values;
  }
  void expect_near(const std::string& tensor, const std::vector<float>& values, size_t first = 0) const {
    const std::vector<float> golden = floats(tensor);
    ASSERT_LE(first + values.size(), golden.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i], golden[first + i], 1e-4f * std::max(1.0f, std::fabs(golden[first + i]))) << tensor << " " << i;
    }
  }
};

class TracedModel : public testing::TestWithParam<std::string> {};

TEST_P(TracedModel, has_the_attention_and_hidden_states_of_transformers) {
  const Golden golden(GetParam());
  const auto model = load(GetParam());
  const Trace all = trace(*model, {.ids = golden.ids, .has_attention = true, .has_residual = true}).value();
  EXPECT_EQ(all.attention.size(), golden.floats("attention").size());
  EXPECT_EQ(all.residual.size(), golden.floats("residual").size());
  golden.expect_near("attention", all.attention);
  golden.expect_near("residual", all.residual);
}

TEST_P(TracedModel, ends_with_the_model_s_own_logits_in_the_lens) {
  const Golden golden(GetParam());
  const auto model = load(GetParam());
  const auto T = static_cast<int64_t>(golden.ids.size());
  const Trace lens = trace(*model, {.ids = golden.ids, .has_lens = true, .layers = {model->spec().num_layers()}, .num_top = 3}).value();
  nn::KvCache cache = model->new_cache().value();
  const auto logits = model->forward(golden.ids, cache, T).value();
  const auto vocabulary = static_cast<size_t>(model->spec().vocab_size);
  ASSERT_EQ(lens.lens.size(), golden.ids.size());
  for (size_t t = 0; t < golden.ids.size(); ++t) {
    const auto row = logits.subspan(t * vocabulary, vocabulary);
    const double normaliser = log_normaliser(row).value();
    EXPECT_EQ(lens.lens[t].id, t + 1 < golden.ids.size() ? golden.ids[t + 1] : -1);
    ASSERT_EQ(lens.lens[t].top.size(), 3u);
    const auto best = static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
    EXPECT_EQ(lens.lens[t].top[0].id, best);
    EXPECT_NEAR(lens.lens[t].top[0].logprob, static_cast<double>(row[static_cast<size_t>(best)]) - normaliser, 1e-4);
  }
}

TEST_P(TracedModel, gives_parts_as_they_are_in_the_whole) {
  const Golden golden(GetParam());
  const auto model = load(GetParam());
  const int64_t T = static_cast<int64_t>(golden.ids.size()), H = model->spec().num_heads, C = model->spec().width;
  const Trace part =
      trace(*model, {.ids = golden.ids, .has_attention = true, .has_residual = true, .layers = {0}, .heads = {H - 1}, .positions = {5}})
          .value();
  ASSERT_EQ(static_cast<int64_t>(part.attention.size()), T);
  golden.expect_near("attention", part.attention, static_cast<size_t>(((H - 1) * T + 5) * T));
  EXPECT_NEAR(std::accumulate(part.attention.begin(), part.attention.end(), 0.0), 1, 1e-5);
  golden.expect_near("residual", part.residual, static_cast<size_t>(5 * C));
}

INSTANTIATE_TEST_SUITE_P(Trace, TracedModel, testing::Values("gpt1", "gpt2", "llama3", "gemma2", "bloom", "bloom-postnorm"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Trace, refuses_what_is_not_there_and_what_is_too_much) {
  const auto model = load("llama3");
  const auto message = [&](const TraceRequest& request) { return trace(*model, request).status().message(); };
  EXPECT_EQ(message({.has_lens = true}), "trace: no tokens, at least 1 is needed; give some text");
  EXPECT_EQ(message({.ids = {1, 2}, .has_lens = true, .layers = {3}}), "layer: 3, must be in [0, 2]");
  EXPECT_EQ(message({.ids = {1, 2}, .has_attention = true, .heads = {-1}}), "head: -1, must be in [0, 1]");
  EXPECT_EQ(message({.ids = {1, 2}, .has_attention = true, .positions = {2}}), "position: 2, must be in [0, 1]");
  EXPECT_EQ(message({.ids = {1, 1 << 20}, .has_lens = true}).find("token id 1048576 is outside the vocabulary"), 0u);
  EXPECT_NE(message({.ids = {1, 2, 3}, .has_residual = true, .max_bytes = 1000}).find("name fewer layers"), std::string::npos);
}

TEST(Trace, as_json_has_the_parts_that_were_asked_for) {
  const auto model = load("llama3");
  const Trace lens = trace(*model, {.ids = {5, 6, 7}, .has_lens = true, .layers = {0, 2}, .positions = {1, 2}, .num_top = 2}).value();
  const Json json = to_json(lens, nullptr);
  EXPECT_EQ(json.find("attention"), nullptr);
  EXPECT_EQ(json.find("positions")->dump(), "[1, 2]");
  const Json& values = *json.find("lens")->find("values");
  ASSERT_EQ(values.as_array().size(), 2u);
  ASSERT_EQ(values.as_array()[1].as_array().size(), 2u);
  EXPECT_EQ(values.as_array()[1].as_array()[0].find("next")->get_int("id").value(), 7);
  EXPECT_EQ(values.as_array()[1].as_array()[1].find("next"), nullptr);
  const Json attention = to_json(trace(*model, {.ids = {5, 6, 7}, .has_attention = true, .layers = {1}}).value(), nullptr);
  EXPECT_EQ(attention.find("attention")->find("values")->as_array()[0].as_array().size(), 2u);  // heads
}

}  // namespace
}  // namespace atelier::generate
