// A training step like the one before it asks the heap for nothing: activations, gradients, the record and all working memory are kept.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "atelier/base/json.h"
#include "atelier/models/trainable.h"
#include "atelier/optim/clip.h"
#include "atelier/optim/optimizer.h"
#include "tests/support/allocation_watch.h"

namespace atelier::train {
namespace {

struct Setting {
  const char* name;
  Precision precision;
  bool has_checkpoints;
  double dropout;
  int64_t rank;
};
void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

class SteadyStep : public ::testing::TestWithParam<Setting> {};

TEST_P(SteadyStep, allocates_nothing) {
  const Setting& setting = GetParam();
  const Json config = Json::parse(R"({"architectures": ["LlamaForCausalLM"], "vocab_size": 70, "hidden_size": 64, "intermediate_size": 96,
      "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": true,
      "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0})",
                                  "config")
                          .value();
  const models::ArchDef& arch = *models::find_by_hf_class("LlamaForCausalLM");
  models::TrainOptions options;
  options.precision = setting.precision;
  options.has_checkpoints = setting.has_checkpoints;
  options.dropout = setting.dropout;
  options.lora.rank = setting.rank;
  const auto model = models::TrainableModel::from_spec(arch, arch.from_hf(config).value(), options).value();
  std::vector<int32_t> ids, labels;
  for (int32_t i = 0; i < 300; ++i) {
    ids.push_back(i * 7 % 70);
    labels.push_back((i + 1) * 7 % 70);
  }
  const std::vector<int64_t> lengths = {150, 20, 130};
  std::vector<optim::Parameter> parameters;
  for (const models::TrainParameter& p : model->parameters()) parameters.push_back({p.name, p.value, p.gradient, p.has_decay});
  optim::Optimizer optimizer(*optim::find_optimizer("adamw"), {}, std::move(parameters));
  const auto step = [&] {
    model->zero_gradients();
    model->loss_and_backward({ids, labels, lengths}, 1.0 / 300).value();
    optimizer.step(1e-3, optim::clip_factor(optim::global_norm(optimizer.parameters()), 1.0));
  };
  step();
  // A thread that comes late to its first piece of work takes its working memory then: the fewest of a few steps.
  int64_t fewest = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < 4; ++i) {
    testing::reset_allocations();
    step();
    fewest = std::min(fewest, testing::num_allocations());
  }
  EXPECT_EQ(fewest, 0);
}

INSTANTIATE_TEST_SUITE_P(Settings, SteadyStep,
                         ::testing::Values(Setting{"f32", Precision::kF32, false, 0, 0}, Setting{"bf16", Precision::kBF16, false, 0, 0},
                                           Setting{"checkpoints", Precision::kBF16, true, 0.1, 0},
                                           Setting{"lora", Precision::kBF16, false, 0, 4}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace atelier::train
