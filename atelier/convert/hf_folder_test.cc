// Trained weights as Hugging Face folders: what is written computes the same when it is loaded.
#include "atelier/convert/hf_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "atelier/models/trainable.h"

namespace atelier::convert {
namespace {

namespace fs = std::filesystem;

class HfFolder : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // The loss of a short text, before and after the folder.
  void expect_same_loss(models::TrainableModel& model) {
    const auto weights =
        std::make_shared<ModelWeights>(ModelWeights{&model.arch(), model.layout(), model.spec(), model.weights(), nullptr});
    const Status written = write_hf_model(weights, folder_);
    ASSERT_TRUE(written.ok()) << written.message();
    const auto read = models::TrainableModel::from_checkpoint(folder_, {});
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(model.loss(batch(), 1).value(), (*read)->loss(batch(), 1).value());
  }
  models::TrainBatch batch() const { return {ids_, labels_, lengths_}; }

  const std::string folder_ = (fs::temp_directory_path() / "atelier_hf_folder").string();
  const std::vector<int32_t> ids_ = {3, 9, 27, 11, 33, 29}, labels_ = {9, 27, 11, 33, 29, 1};
  const std::vector<int64_t> lengths_ = {4, 2};
};

TEST_F(HfFolder, holds_what_every_architecture_computes) {
  for (const char* name : {"gpt1", "gpt2", "llama3", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "bloom"}) {
    SCOPED_TRACE(name);
    expect_same_loss(*models::TrainableModel::from_checkpoint(ATELIER_SOURCE_DIR "/tests/golden/models/" + std::string(name), {}).value());
  }
}

TEST_F(HfFolder, holds_a_new_model) {
  const Json config = Json::parse(R"({"vocab_size": 40, "n_positions": 16, "n_embd": 24, "n_layer": 2, "n_head": 3})", "config").value();
  const models::ArchDef& arch = *models::find_by_hf_class("GPT2LMHeadModel");
  expect_same_loss(*models::TrainableModel::from_spec(arch, arch.from_hf(config).value(), {.seed = 7}).value());
}

TEST_F(HfFolder, holds_low_rank_additions_merged) {
  const auto model =
      models::TrainableModel::from_checkpoint(ATELIER_SOURCE_DIR "/tests/golden/models/llama3", {.lora = {.rank = 2}}).value();
  const double base = model->loss(batch(), 1).value();
  for (models::TrainParameter& parameter : model->parameters()) {
    for (int64_t i = 0; i < parameter.value.count(); ++i) parameter.value.f32()[i] += 0.05f;
  }
  const double tuned = model->loss(batch(), 1).value();
  EXPECT_GT(std::abs(tuned - base), 1e-3);
  const auto weights =
      std::make_shared<ModelWeights>(ModelWeights{&model->arch(), model->layout(), model->spec(), model->weights(), nullptr, {}});
  weights->additions.push_back({model->adapter(), 1});
  ASSERT_TRUE(write_hf_model(weights, folder_).ok());
  EXPECT_NEAR(models::TrainableModel::from_checkpoint(folder_, {}).value()->loss(batch(), 1).value(), tuned, 1e-4);
}

}  // namespace
}  // namespace atelier::convert
