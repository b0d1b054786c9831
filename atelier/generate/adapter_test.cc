// Requests with adapters of their own in one batch: each says what it says alone, to the bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

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

// 1 + values of up to `spread` / 2.
Tensor random_factors(int64_t count, uint64_t seed, float spread) {
  Tensor factors = random_matrix({count}, seed);
  for (int64_t i = 0; i < count; ++i) factors.f32()[i] = 1 + spread * factors.f32()[i];
  return factors;
}

// One adapter of each kind but plain LoRA, on every layer.
std::map<std::string, std::shared_ptr<const nn::Adapter>> one_of_each_kind(const models::Model& model) {
  std::map<std::string, std::shared_ptr<nn::Adapter>> made;
  const nn::TransformerSpec& spec = model.spec();
  const int64_t C = spec.width, GD = spec.num_kv_heads * spec.head_dim;
  for (const char* name : {"prompt", "prefix", "ia3", "dora", "bottleneck", "biases"}) {
    made[name] = std::make_shared<nn::Adapter>();
    made[name]->layers.resize(static_cast<size_t>(spec.num_layers()));
    made[name]->digest = name;
  }
  made["prompt"]->num_virtual = 5;
  made["prompt"]->prompt = random_matrix({5, C}, 1);
  made["prefix"]->num_virtual = 3;
  for (size_t i = 0; i < made["ia3"]->layers.size(); ++i) {
    const auto linears = nn::projections_of(model.transformer().parameters().layers[i]);
    const auto linear = [&](const char* name, nn::Projection projection) -> nn::LinearAdapter& {
      return made[name]->layers[i].linears[static_cast<size_t>(projection)];
    };
    const uint64_t seed = 10 * (i + 1);
    made["prefix"]->layers[i].prefix_keys = random_matrix({3, GD}, seed);
    made["prefix"]->layers[i].prefix_values = random_matrix({3, GD}, seed + 1);
    linear("ia3", nn::Projection::kK).output_scale = random_factors(GD, seed + 2, 0.8f);
    linear("ia3", nn::Projection::kV).output_scale = random_factors(GD, seed + 3, 0.8f);
    linear("ia3", nn::Projection::kDown).input_scale = random_factors(spec.ffn_width, seed + 4, 0.8f);
    for (const nn::Projection projection : {nn::Projection::kQ, nn::Projection::kO, nn::Projection::kUp}) {
      const Tensor& weight = linears[static_cast<size_t>(projection)]->weight;
      linear("dora", projection).low_rank = {random_matrix({2, weight.dim(1)}, seed + 5), random_matrix({weight.dim(0), 2}, seed + 6),
                                             0.05f};
      linear("dora", projection).gain = random_factors(weight.dim(0), seed + 7, 0.4f);
    }
    made["biases"]->biases.layers.resize(made["biases"]->layers.size());
    nn::TransformerBlock& biases = made["biases"]->biases.layers[i];
    biases.attention.q.bias = random_matrix({linears[0]->weight.dim(0)}, seed + 13);
    biases.mlp.down.bias = random_matrix({C}, seed + 14);
    biases.mlp_norm.bias = random_matrix({C}, seed + 15);
    nn::Bottleneck& bottleneck = made["bottleneck"]->layers[i].mlp;
    bottleneck.down = random_matrix({8, C}, seed + 9);
    bottleneck.down_bias = random_matrix({8}, seed + 10);
    bottleneck.up = random_matrix({C, 8}, seed + 11);
    bottleneck.up_bias = random_matrix({C}, seed + 12);
    bottleneck.reads_residual = i == 0;
  }
  return {made.begin(), made.end()};
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
    adapters = one_of_each_kind(*model);
    adapters["french"] = random_adapter(*model, 1000, 4);
    adapters["verse"] = random_adapter(*model, 2000, 3);
  }
  void TearDown() override { set_num_threads(available_cores()); }

  std::vector<Said> say(const EngineOptions& options, const std::vector<Request>& requests) {
    const auto engine = Engine::create(*model, options).value();
    for (const auto& [name, adapter] : adapters) EXPECT_TRUE(engine->add_adapter(name, adapter).ok());
    EXPECT_FALSE(engine->add_adapter("verse", adapters["verse"]).ok()) << "the id is taken";
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

  void expect_the_same_alone(const std::vector<std::vector<AdapterChoice>>& mixes) {
    set_num_threads(1);
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
    EXPECT_EQ(say({.max_sequences = 8}, requests), alone);
    EXPECT_EQ(say({.max_sequences = 3, .step_rows = 50, .speculation = Speculation::kLookup}, requests), alone);
    set_num_threads(2);
    EXPECT_EQ(say({.max_sequences = 8}, requests), alone);
    const auto plain = std::ranges::find_if(mixes, [](const auto& mix) { return mix.empty(); }) - mixes.begin();
    for (size_t i = 0; i < mixes.size(); ++i) {
      if (mixes[i].empty()) continue;
      EXPECT_NE(alone[i].logprobs, alone[static_cast<size_t>(plain)].logprobs) << mixes[i][0].id;
    }
  }

  const atelier::testing::TemporaryFolder folder;
  std::unique_ptr<models::Model> model;
  std::map<std::string, std::shared_ptr<const nn::Adapter>> adapters;
};

TEST_P(Adapters, rows_of_a_batch_say_what_they_say_alone) {
  const std::vector<std::vector<AdapterChoice>> mixes = {{}, {{"french"}}, {{"verse"}}, {{"french", 0.5f}, {"verse", -1}}, {{"french"}}};
  expect_the_same_alone(mixes);
}

TEST_P(Adapters, rows_of_all_kinds_in_a_batch_say_what_they_say_alone) {
  expect_the_same_alone({{{"prompt"}}, {{"ia3"}}, {{"prefix"}}, {}, {{"dora"}}, {{"bottleneck"}}, {{"biases"}}, {{"ia3"}}});
  expect_the_same_alone(
      {{{"dora", 0.5f}, {"ia3", -1}}, {{"prompt"}, {"french"}}, {}, {{"prefix"}, {"dora"}}, {{"biases", 0.5f}, {"ia3"}}, {{"prompt"}}});
}

INSTANTIATE_TEST_SUITE_P(Types, Adapters, ::testing::Values(DType::kBF16, DType::kQ4_K),
                         [](const auto& tested) { return std::string(dtype_name(tested.param)); });

}  // namespace
}  // namespace atelier::generate
