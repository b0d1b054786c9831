#include "atelier/models/adapter_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "atelier/models/adapter.h"
#include "atelier/models/model.h"
#include "tests/support/temporary_folder.h"

namespace atelier::models {
namespace {

std::string golden(const std::string& name) { return ATELIER_SOURCE_DIR "/tests/golden/models/" + name; }

std::vector<float> logits_of(Model& model, const nn::Adapter& adapter) {
  const std::vector<int32_t> ids = {1, 7, 3, 9, 4, 2, 8};
  std::vector<int64_t> rows(ids.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
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
    trained->parameters_changed();
    const std::vector<int32_t> ids = {1, 7, 3, 9, 4, 2, 8}, labels = {7, 3, 9, 4, 2, 8, 5};
    const std::vector<int64_t> lengths = {7};
    const double expected = trained->loss({ids, labels, lengths, {}, 0}, 1).value();

    const atelier::testing::TemporaryFolder folder;
    const Status saved = save_adapter(*trained, options.lora, {"base", DType::kF32}, folder.path());
    ASSERT_TRUE(saved.ok()) << saved.message();
    const auto model = load_model(golden(GetParam()), {.precision = Precision::kF32}).value();
    const auto adapter = load_adapter(*model, folder.path());
    ASSERT_TRUE(adapter.ok()) << adapter.status().message();
    EXPECT_NEAR(loss_of(logits_of(*model, **adapter), labels), expected, 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, SavedAdapterOf, ::testing::Values("llama3", "gpt2", "bloom", "phi3", "gemma3"));

TEST(SaveAdapter, needs_low_rank_matrices) {
  const auto model = TrainableModel::from_checkpoint(golden("gpt2"), {}).value();
  const atelier::testing::TemporaryFolder folder;
  EXPECT_EQ(save_adapter(*model, {}, {}, folder.path()).message(), "adapter: the model has no low-rank matrices; train it with lora");
}

}  // namespace
}  // namespace atelier::models
