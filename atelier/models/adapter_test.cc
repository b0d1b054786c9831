#include "atelier/models/adapter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::models {
namespace {

const std::string kGoldens = ATELIER_SOURCE_DIR "/tests/golden/";

std::unique_ptr<Model> load_model_of(const std::string& name) {
  return load_model(kGoldens + "models/" + name, {.precision = Precision::kF32}).value();
}

std::vector<float> read_floats(const std::string& path) {
  const std::string bytes = io::read_file(path, 1 << 20).value();
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// tests/golden/make_adapter_goldens.py
class AdapterGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(AdapterGolden, logits_are_those_of_PEFT) {
  const std::string folder = kGoldens + "adapters/" + GetParam();
  const Json golden = Json::parse(io::read_file(folder + "/golden.json", 1 << 20).value(), "golden.json").value();
  const auto model = load_model_of(golden.get_string("model").value());
  std::vector<std::shared_ptr<const nn::Adapter>> adapters;
  std::vector<nn::AppliedAdapter> applied;
  for (const Json& entry : golden.find("adapters")->as_array()) {
    auto adapter = load_adapter(*model, kGoldens + "adapters/" + entry.get_string("folder").value());
    ASSERT_TRUE(adapter.ok()) << adapter.status().message();
    adapters.push_back(*adapter);
    applied.push_back({adapters.back().get(), static_cast<float>(entry.get_double("weight").value())});
  }
  std::vector<int32_t> ids;
  std::vector<int64_t> rows;
  for (const Json& id : golden.find("ids")->as_array()) {
    rows.push_back(static_cast<int64_t>(ids.size()));
    ids.push_back(static_cast<int32_t>(id.as_int()));
  }
  nn::KvCache cache = model->new_cache().value();
  const nn::RowRun run{.cache = &cache, .num_rows = static_cast<int64_t>(ids.size()), .adapters = applied};
  const auto logits = model->forward_batch(ids, std::span(&run, 1), rows).value();
  const std::vector<float> expected = read_floats(folder + "/logits.f32");
  ASSERT_EQ(logits.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(logits[i], expected[i], 1e-4) << i;
}

INSTANTIATE_TEST_SUITE_P(Cases, AdapterGolden,
                         ::testing::Values("lora", "rslora-patterns", "phi3-fused", "gpt2-conv1d", "bloom", "smollm2", "mixed"),
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
  EXPECT_NE(refusal("use_dora", Json(true)).find("use_dora is set (DoRA"), std::string::npos);
  EXPECT_NE(refusal("peft_type", Json("IA3")).find("type IA3"), std::string::npos);
  EXPECT_NE(refusal("bias", Json("all")).find("bias is all"), std::string::npos);
  EXPECT_NE(refusal("modules_to_save", Json(Json::Array{"lm_head"})).find("modules_to_save"), std::string::npos);
  EXPECT_NE(refusal("alpha_pattern", Json::object().set(".*q_proj", 3)).find("regular expression"), std::string::npos);
  EXPECT_NE(refusal("r", Json(4), "mistral").find("adapter: "), std::string::npos) << "another model";
  EXPECT_NE(load_adapter(*load_model_of("llama3"), folder / "absent").status().message().find("no such folder"), std::string::npos);
}

}  // namespace
}  // namespace atelier::models
