#include "atelier/format/refusals.h"

#include <gtest/gtest.h>

#include "atelier/format/gguf_writer.h"
#include "tests/support/temporary_folder.h"

namespace atelier::format {
namespace {

Status refuse(const std::string& config) { return refuse_unsupported_config(Json::parse(config, "config.json").value()); }

TEST(Refusals, DenseConfigurationsPass) {
  EXPECT_TRUE(refuse(R"({"model_type": "llama"})").ok());
  EXPECT_TRUE(refuse(R"({"quantization_config": null, "num_experts": 0})").ok());
  EXPECT_TRUE(refuse(R"({"text_config": {"num_local_experts": 1}})").ok());
}

TEST(Refusals, PackedWeightsAndExpertsAreNamed) {
  const Status gptq = refuse(R"({"quantization_config": {"quant_method": "gptq", "bits": 4}})");
  EXPECT_EQ(gptq.code(), StatusCode::kUnsupported);
  EXPECT_NE(gptq.message().find("\"gptq\""), std::string::npos);
  EXPECT_NE(refuse(R"({"quantization_config": {"quant_method": "awq"}})").message().find("\"awq\""), std::string::npos);
  EXPECT_FALSE(refuse(R"({"quantization_config": 4})").ok());
  EXPECT_NE(refuse(R"({"num_local_experts": 8})").message().find("num_local_experts: 8 experts"), std::string::npos);
  EXPECT_NE(refuse(R"({"text_config": {"num_experts": 64}})").message().find("text_config: num_experts"), std::string::npos);
  EXPECT_FALSE(refuse(R"({"num_experts": "many"})").ok());
  EXPECT_FALSE(refuse("[]").ok());
}

Status refuse_gguf(const GgufMetadata& metadata) {
  testing::TemporaryFolder folder;
  EXPECT_TRUE(create_gguf(folder / "x.gguf", metadata, {}).value()->finish().ok());
  return refuse_unsupported_gguf(*Gguf::open(folder / "x.gguf").value());
}

TEST(Refusals, GgufExpertsAdaptersAndFilesWithoutArchitecture) {
  GgufMetadata metadata;
  EXPECT_EQ(refuse_gguf(metadata).code(), StatusCode::kNotFound);
  metadata.set_string("general.architecture", "llama");
  EXPECT_TRUE(refuse_gguf(metadata).ok());
  metadata.set_uint32("llama.expert_count", 0);
  EXPECT_TRUE(refuse_gguf(metadata).ok());
  metadata.set_uint32("llama.expert_count", 8);
  EXPECT_NE(refuse_gguf(metadata).message().find("llama.expert_count\": 8 experts"), std::string::npos);
  metadata.set_string("general.type", "adapter");
  EXPECT_NE(refuse_gguf(metadata).message().find("\"adapter\""), std::string::npos);
}

}  // namespace
}  // namespace atelier::format
