// Requests with adapters of their own in one batch: each says what it says alone, to the bit.
#include <gtest/gtest.h>

#include "atelier/base/rng.h"
#include "atelier/generate/engine.h"
#include "tests/support/generation_cases.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_llama.h"

namespace atelier::generate {
namespace {

Tensor random_matrix(Shape shape, uint64_t seed) {
  Tensor matrix = Tensor::zeros(DType::kF32, shape);
  for (int64_t i = 0; i < matrix.count(); ++i)
    matrix.f32()[i] = static_cast<float>(random_uniform(seed, 0, static_cast<uint64_t>(i)) - 0.5);
  return matrix;
}

// On every projection of the even layers, and on `down` of the others.
std::shared_ptr<const nn::Adapter> random_adapter(const models::Model& model, uint64_t seed, int64_t rank) {
  auto adapter = std::make_shared<nn::Adapter>();
  for (const nn::TransformerBlock& weights : model.transformer().parameters().layers) {
    nn::LayerAdapter& layer = adapter->layers.emplace_back();
    const auto linears = nn::projections_of(weights);
    for (size_t i = adapter->layers.size() % 2 == 1 ? 0 : linears.size() - 1; i < linears.size(); ++i) {
      const Tensor& weight = linears[i]->weight;
      layer.linears[i].low_rank = {random_matrix({rank, weight.dim(1)}, seed + i), random_matrix({weight.dim(0), rank}, seed + 100 + i),
                                   0.05f};
    }
  }
  adapter->digest = std::to_string(seed);
  return adapter;
}

struct Said {
  std::vector<int32_t> ids;
  std::vector<double> logprobs;
  bool operator==(const Said&) const = default;
};

class Adapters : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    set_num_threads(1);
    atelier::testing::write_tiny_llama(folder / "model.gguf", GetParam());
    model = load(folder / "model.gguf", {.context = 192});
    french = random_adapter(*model, 1000, 4);
    verse = random_adapter(*model, 2000, 3);
  }
  void TearDown() override { set_num_threads(available_cores()); }

  std::vector<Said> say(const EngineOptions& options, const std::vector<Request>& requests) {
    const auto engine = Engine::create(*model, options).value();
    EXPECT_TRUE(engine->add_adapter("french", french).ok());
    EXPECT_TRUE(engine->add_adapter("verse", verse).ok());
    EXPECT_FALSE(engine->add_adapter("verse", verse).ok()) << "the id is taken";
    std::vector<Said> said(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      Request request = requests[i];
      request.hooks.on_token = [&said, i](const TokenReport& report) {
        said[i].ids.push_back(report.id);
        said[i].logprobs.push_back(report.logprob);
      };
      EXPECT_TRUE(engine->submit(request).ok());
    }
    while (engine->has_work()) EXPECT_TRUE(engine->step().ok());
    return said;
  }

  const atelier::testing::TemporaryFolder folder;
  std::unique_ptr<models::Model> model;
  std::shared_ptr<const nn::Adapter> french, verse;
};

TEST_P(Adapters, rows_of_a_batch_say_what_they_say_alone) {
  const std::vector<std::vector<AdapterChoice>> mixes = {{}, {{"french"}}, {{"verse"}}, {{"french", 0.5f}, {"verse", -1}}, {{"french"}}};
  std::vector<Request> requests;
  std::vector<Said> alone;
  for (size_t i = 0; i < mixes.size(); ++i) {
    Request request;
    request.prompt = random_prompt(100, 1);  // the same for all: pages that they must not share
    request.options.max_tokens = 12;
    request.options.sampling.temperature = static_cast<double>(i % 2);
    request.options.adapters = mixes[i];
    requests.push_back(request);
    alone.push_back(say({.max_sequences = 1, .keeps_prefixes = false}, {request})[0]);
  }
  EXPECT_EQ(say({.max_sequences = 5}, requests), alone);
  EXPECT_EQ(say({.max_sequences = 3, .step_rows = 50, .speculation = Speculation::kLookup}, requests), alone);
  set_num_threads(2);
  EXPECT_EQ(say({.max_sequences = 5}, requests), alone);
  for (size_t i = 1; i < 4; ++i) EXPECT_NE(alone[i].logprobs, alone[0].logprobs) << "an adapter changes what is said";
}

INSTANTIATE_TEST_SUITE_P(Types, Adapters, ::testing::Values(DType::kBF16, DType::kQ4_K),
                         [](const auto& tested) { return std::string(dtype_name(tested.param)); });

}  // namespace
}  // namespace atelier::generate
