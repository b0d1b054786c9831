#include "atelier/models/adapter_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <tuple>

#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter.h"
#include "atelier/models/model.h"
#include "atelier/models/weights.h"
#include "tests/support/temporary_folder.h"

namespace atelier::models {
namespace {

std::string golden(const std::string& name) { return ATELIER_SOURCE_DIR "/tests/golden/models/" + name; }

std::vector<float> logits_of(Model& model, const nn::Adapter& adapter) {
  std::vector<int32_t> ids(static_cast<size_t>(adapter.num_virtual));
  std::iota(ids.begin(), ids.end(), static_cast<int32_t>(model.spec().vocab_size));
  for (const int32_t id : {1, 7, 3, 9, 4, 2, 8}) ids.push_back(id);
  std::vector<int64_t> rows(7);
  std::iota(rows.begin(), rows.end(), adapter.num_virtual);
  const std::vector<nn::AppliedAdapter> applied = {{&adapter, 1}};
  nn::KvCache cache = model.new_cache().value();
  const nn::RowRun run{.cache = &cache, .num_rows = static_cast<int64_t>(ids.size()), .adapters = applied};
  const auto logits = model.forward_batch(ids, std::span(&run, 1), rows).value();
  return {logits.begin(), logits.end()};
}

// The loss of a document from logits, as the model that learns gives it.
double loss_of(const std::vector<float>& logits, const std::vector<int32_t>& labels) {
  const size_t V = logits.size() / labels.size();
  double loss = 0;
  for (size_t t = 0; t < labels.size(); ++t) {
    const kernels::LogSumExp sum = kernels::log_sum_exp(logits.data() + t * V, static_cast<int64_t>(V));
    loss -= logits[t * V + static_cast<size_t>(labels[t])] - sum.max - sum.log_sum;
  }
  return loss;
}

class SavedAdapterOf : public ::testing::TestWithParam<const char*> {};

TEST_P(SavedAdapterOf, computes_what_the_trained_model_computes) {
  for (const bool is_rank_stabilized : {false, true}) {
    TrainOptions options;
    options.lora = {.rank = 3, .alpha = 5, .is_rank_stabilized = is_rank_stabilized};
    const auto trained = TrainableModel::from_checkpoint(golden(GetParam()), options).value();
    float next = 0.01f;
    for (TrainParameter& parameter : trained->parameters()) {
      for (int64_t i = 0; i < parameter.value.count(); ++i) parameter.value.f32()[i] = 0.2f * std::sin(next += 0.37f);
    }
    const std::vector<int32_t> ids = {1, 7, 3, 9, 4, 2, 8}, labels = {7, 3, 9, 4, 2, 8, 5};
    const std::vector<int64_t> lengths = {7};
    const double expected = trained->loss({ids, labels, lengths, {}, 0}, 1).value();

    const atelier::testing::TemporaryFolder folder;
    const Status saved = save_adapter(*trained, {"base", DType::kF32}, folder.path());
    ASSERT_TRUE(saved.ok()) << saved.message();
    const auto model = load_model(golden(GetParam()), {.precision = Precision::kF32}).value();
    const auto adapter = load_adapter(*model, folder.path());
    ASSERT_TRUE(adapter.ok()) << adapter.status().message();
    EXPECT_NEAR(loss_of(logits_of(*model, **adapter), labels), expected, 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, SavedAdapterOf, ::testing::Values("llama3", "gpt2", "bloom", "phi3", "gemma3"));

// Every kind learns, is saved, and runs from the file as it ran while it learned.
struct Kind {
  const char* name;
  TrainOptions options;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

LoraOptions lora(const std::function<void(LoraOptions&)>& change) {
  LoraOptions options{.rank = 3, .alpha = 5};
  change(options);
  return options;
}

class SavedKind : public ::testing::TestWithParam<std::tuple<Kind, const char*>> {};

TEST_P(SavedKind, runs_as_it_learned) {
  const auto& [kind, name] = GetParam();
  auto opened = TrainableModel::from_checkpoint(golden(name), kind.options);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const auto trained = std::move(opened).value();
  const std::vector<int32_t> ids = {1, 7, 3, 9, 4, 2, 8}, labels = {7, 3, 9, 4, 2, 8, 5};
  const std::vector<int64_t> lengths = {7};
  const TrainBatch batch{ids, labels, lengths, {}, 0};
  const double first = trained->loss(batch, 1).value();
  for (int step = 0; step < 5; ++step) {
    trained->zero_gradients();
    trained->loss_and_backward(batch, 1).value();
    for (TrainParameter& parameter : trained->parameters()) {
      double square = 1e-12;
      for (int64_t i = 0; i < parameter.value.count(); ++i) square += std::pow(parameter.gradient.f32()[i], 2);
      const float rate = 0.1f / static_cast<float>(std::sqrt(square));
      for (int64_t i = 0; i < parameter.value.count(); ++i) parameter.value.f32()[i] -= rate * parameter.gradient.f32()[i];
    }
  }
  const double expected = trained->loss(batch, 1).value();
  EXPECT_LT(expected, first - 0.05);

  const atelier::testing::TemporaryFolder folder;
  const Status saved = save_adapter(*trained, {"base", DType::kF32}, folder.path());
  ASSERT_TRUE(saved.ok()) << saved.message();
  const auto model = load_model(golden(name), {.precision = Precision::kF32}).value();
  const auto adapter = load_adapter(*model, folder.path());
  ASSERT_TRUE(adapter.ok()) << adapter.status().message();
  EXPECT_NEAR(loss_of(logits_of(*model, **adapter), labels), expected, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SavedKind,
    ::testing::Combine(
        ::testing::Values(Kind{"dora", {.lora = lora([](LoraOptions& o) { o.has_magnitudes = true; })}},
                          Kind{"patterns", {.lora = lora([](LoraOptions& o) {
                                              o.targets = {"q", "v", "down"};
                                              o.layers = {1};
                                              o.ranks = {{"v", 2}, {".*down.*|.*c_proj.*|.*4h_to_h", 5}};
                                            })}},
                          Kind{"embedding", {.lora = lora([](LoraOptions& o) {
                                               o.targets = {"embedding", "o"};
                                             })}},
                          Kind{"tables", {.lora = lora([](LoraOptions& o) {
                                            o.whole_modules = {"embedding", "head"};
                                          })}},
                          Kind{"ia3", {.adapter = {.kind = AdapterKind::kIa3}}},
                          Kind{"prompt", {.adapter = {.kind = AdapterKind::kPrompt, .num_virtual = 4}}},
                          Kind{"prefix", {.adapter = {.kind = AdapterKind::kPrefix, .num_virtual = 4}}},
                          Kind{"pfeiffer", {.adapter = {.kind = AdapterKind::kBottleneck, .width = 6}}},
                          Kind{"houlsby",
                               {.adapter = {.kind = AdapterKind::kBottleneck, .width = 6, .activation = "swish", .is_double = true}}}),
        ::testing::Values("llama3", "gpt2", "bloom")),
    [](const auto& tested) { return std::string(std::get<0>(tested.param).name) + "_" + std::get<1>(tested.param); });

INSTANTIATE_TEST_SUITE_P(Biases, SavedKind,
                         ::testing::Combine(::testing::Values(Kind{"bitfit", {.adapter = {.kind = AdapterKind::kBitFit}}}),
                                            ::testing::Values("gpt1", "gpt2", "gpt2-bare", "bloom", "bloom-postnorm", "qwen2",
                                                              "llama-bias")),
                         [](const auto& tested) {
                           std::string name = std::get<1>(tested.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(SaveAdapter, has_no_lengths_for_a_part_of_a_matrix) {
  const auto error_of = [](const char* name, std::vector<std::string> targets) {
    const LoraOptions options{.rank = 2, .has_magnitudes = true, .targets = std::move(targets)};
    return TrainableModel::from_checkpoint(golden(name), {.lora = options}).status().message();
  };
  EXPECT_EQ(error_of("gpt2", {"q", "v"}),
            "lora: dora on 2 of 3 linear layers that checkpoints keep as one, transformer.h.0.attn.c_attn; target all, or leave out dora");
  EXPECT_EQ(
      error_of("phi3", {"up"}),
      "lora: dora on 1 of 2 linear layers that checkpoints keep as one, model.layers.0.mlp.gate_up_proj; target all, or leave out dora");
  EXPECT_EQ(error_of("llama3", {"q", "embedding"}),
            "lora: dora knows no lengths of the embedding; take it out of lora.targets, or leave out dora");
  EXPECT_EQ(error_of("gpt2", {"q", "k", "v", "down"}), "");
  EXPECT_EQ(error_of("llama3", {"q"}), "");
}

TEST(SaveAdapter, tells_the_width_of_bottlenecks_as_adapterhub_divides) {
  for (const int64_t width : {1, 5, 6, 8, 31, 40}) {
    const AdapterOptions options{.kind = AdapterKind::kBottleneck, .width = width};
    const auto model = TrainableModel::from_checkpoint(golden("gpt2"), {.adapter = options}).value();
    const atelier::testing::TemporaryFolder folder;
    ASSERT_TRUE(save_adapter(*model, {}, folder.path()).ok());
    const Json json = Json::parse(io::read_file(folder / "adapter_config.json").value(), "adapter_config.json").value();
    const double factor = json.find("config")->get_double("reduction_factor").value();
    EXPECT_EQ(std::floor(static_cast<double>(model->spec().width) / factor), static_cast<double>(width));
  }
}

TEST(SaveAdapter, of_biases_is_a_file_of_biases) {
  const auto model = TrainableModel::from_checkpoint(golden("gpt2"), {.adapter = {.kind = AdapterKind::kBitFit}}).value();
  for (const TrainParameter& parameter : model->parameters()) EXPECT_TRUE(parameter.name.ends_with(".bias")) << parameter.name;
  const atelier::testing::TemporaryFolder folder;
  ASSERT_TRUE(save_adapter(*model, {}, folder.path()).ok());
  const auto saved = format::open_checkpoint(folder / "biases.safetensors").value();
  const auto base = format::open_checkpoint(golden("gpt2")).value();
  EXPECT_EQ(saved->entries().size(), 13u);  // six of each of two blocks, and the last norm's
  for (const format::TensorEntry& entry : saved->entries()) {
    const format::TensorEntry* original = find_tensor(*base, entry.name);
    ASSERT_NE(original, nullptr) << entry.name;
    ASSERT_EQ(entry.shape, original->shape);
    EXPECT_EQ(std::memcmp(entry.data, original->data, static_cast<size_t>(entry.shape[0]) * sizeof(float)), 0) << entry.name;
  }
  const auto refused = TrainableModel::from_checkpoint(golden("llama3"), {.adapter = {.kind = AdapterKind::kBitFit}});
  EXPECT_EQ(refused.status().message(), "bitfit: the model has no biases, nothing could learn; use another adapter");
}

TEST(SaveAdapter, needs_an_adapter) {
  const auto model = TrainableModel::from_checkpoint(golden("gpt2"), {}).value();
  const atelier::testing::TemporaryFolder folder;
  EXPECT_EQ(save_adapter(*model, {}, folder.path()).message(),
            "adapter: all of the model is trained; train it with lora or another adapter");
}

}  // namespace
}  // namespace atelier::models
