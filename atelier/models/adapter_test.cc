#include "atelier/models/adapter.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter_writer.h"
#include "tests/support/adapter_golden.h"
#include "tests/support/temporary_folder.h"

namespace atelier::models {
namespace {

const std::string kGoldens = ATELIER_SOURCE_DIR "/tests/golden/";

std::unique_ptr<Model> load_model_of(const std::string& name) {
  return load_model(kGoldens + "models/" + name, {.precision = Precision::kF32}).value();
}

// tests/golden/make_adapter_goldens.py
class RunAdapter : public ::testing::TestWithParam<const char*> {};

TEST_P(RunAdapter, logits_are_those_of_the_library_that_saved_it) {
  const atelier::testing::AdapterGolden golden = atelier::testing::read_adapter_golden(GetParam());
  const auto model = load_model(golden.model, {.precision = Precision::kF32}).value();
  std::vector<std::shared_ptr<const nn::Adapter>> adapters;
  std::vector<nn::AppliedAdapter> applied;
  for (const auto& [folder, weight] : golden.adapters) {
    auto adapter = load_adapter(*model, folder);
    ASSERT_TRUE(adapter.ok()) << adapter.status().message();
    adapters.push_back(*adapter);
    applied.push_back({adapters.back().get(), weight});
  }
  const int64_t num_virtual = nn::num_virtual(applied);
  std::vector<int32_t> ids(static_cast<size_t>(num_virtual));
  std::iota(ids.begin(), ids.end(), static_cast<int32_t>(model->spec().vocab_size));
  ids.insert(ids.end(), golden.ids.begin(), golden.ids.end());
  std::vector<int64_t> rows(golden.ids.size());
  std::iota(rows.begin(), rows.end(), num_virtual);
  nn::KvCache cache = model->new_cache().value();
  const nn::RowRun run{.cache = &cache, .num_rows = static_cast<int64_t>(ids.size()), .adapters = applied};
  const auto logits = model->forward_batch(ids, std::span(&run, 1), rows).value();
  ASSERT_EQ(logits.size(), golden.logits.size());
  for (size_t i = 0; i < golden.logits.size(); ++i) ASSERT_NEAR(logits[i], golden.logits[i], 1e-4) << i;
}

INSTANTIATE_TEST_SUITE_P(Cases, RunAdapter,
                         ::testing::Values("lora", "rslora-patterns", "phi3-fused", "gpt2-conv1d", "bloom", "smollm2", "mixed",
                                           "lora-expressions", "dora", "dora-conv1d", "embedding", "embedding-tied", "tables", "ia3",
                                           "ia3-conv1d", "prompt", "prompt-gemma3", "prompt-bloom", "prefix", "prefix-gpt2", "prefix-qwen3",
                                           "bottleneck-pfeiffer", "bottleneck-houlsby", "bottleneck-gpt2"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class AdapterRefusal : public ::testing::Test {
 protected:
  // What is said of the golden adapter "lora" with one setting changed, for a model.
  std::string refusal(const std::string& key, const Json& value, const std::string& model = "llama3") {
    const std::string golden = kGoldens + "adapters/lora/";
    Json config = Json::parse(io::read_file(golden + "adapter_config.json", 1 << 20).value(), "config").value();
    std::ofstream(folder / "adapter_config.json") << config.set(key, value).dump();
    std::ofstream(folder / "adapter_model.safetensors", std::ios::binary)
        << io::read_file(golden + "adapter_model.safetensors", 1 << 20).value();
    return load_adapter(*load_model_of(model), folder.path()).status().message();
  }
  const atelier::testing::TemporaryFolder folder;
};

TEST_F(AdapterRefusal, names_what_cannot_be_run) {
  EXPECT_EQ(refusal("r", Json(4)), "");
  EXPECT_NE(refusal("use_qalora", Json(true)).find("use_qalora is set (QA-LoRA"), std::string::npos);
  EXPECT_NE(refusal("peft_type", Json("BOFT")).find("type BOFT"), std::string::npos);
  EXPECT_NE(refusal("peft_type", Json("PREFIX_TUNING")).find("num_virtual_tokens"), std::string::npos);
  EXPECT_NE(refusal("bias", Json("all")).find("bias is all"), std::string::npos);
  EXPECT_NE(refusal("alpha_pattern", Json::object().set("(q_proj", 3)).find("module pattern"), std::string::npos);
  EXPECT_NE(refusal("r", Json(4), "mistral").find("adapter: "), std::string::npos) << "another model";
  EXPECT_NE(load_adapter(*load_model_of("llama3"), folder / "absent").status().message().find("no such folder"), std::string::npos);
}

TEST(Biases, belong_to_their_model) {
  const auto model = TrainableModel::from_checkpoint(kGoldens + "models/gpt2", {.adapter = {.kind = AdapterKind::kBitFit}}).value();
  const atelier::testing::TemporaryFolder folder;
  ASSERT_TRUE(save_adapter(*model, {}, folder.path()).ok());
  EXPECT_NE(load_adapter(*load_model_of("bloom"), folder.path()).status().message().find("it belongs to another"), std::string::npos);
  EXPECT_NE(load_adapter(*load_model_of("llama3"), folder.path()).status().message().find("is no bias of this model"), std::string::npos);
  const auto base = load_model_of("gpt2");
  const auto unchanged = load_adapter(*base, folder.path()).value();
  EXPECT_EQ(unchanged->biases.layers[1].mlp.down.bias.f32()[3], 0);
  float& moved = model->parameters()[2].value.f32()[0];
  moved += 1;
  ASSERT_TRUE(save_adapter(*model, {}, folder.path()).ok());
  EXPECT_NE(load_adapter(*base, folder.path()).value()->digest, unchanged->digest);
}

TEST(Biases, of_heads_are_refused) {
  const std::string path = kGoldens + "encoders/bert-masked";
  const auto model = TrainableModel::from_checkpoint(path, {.adapter = {.kind = AdapterKind::kBitFit}});
  ASSERT_TRUE(model.ok()) << model.status().message();
  const atelier::testing::TemporaryFolder folder;
  ASSERT_TRUE(save_adapter(**model, {}, folder.path()).ok());
  const auto base = load_model(path, {.precision = Precision::kF32}).value();
  EXPECT_NE(load_adapter(*base, folder.path()).status().message().find("is a head's, only biases of the blocks"), std::string::npos);
}

}  // namespace
}  // namespace atelier::models
