#include "atelier/models/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace atelier::models {
namespace {

class Store : public testing::Test {
 protected:
  void SetUp() override {
    home_ = std::filesystem::temp_directory_path() / ("atelier-store-" + std::to_string(::getpid()));
    setenv("ATELIER_HOME", home_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("ATELIER_HOME");
    std::filesystem::remove_all(home_);
  }
  std::string put(const std::string& path) {  // an empty file in the store
    const auto full = home_ / "models" / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << "x";
    return full;
  }
  std::filesystem::path home_;
};

TEST_F(Store, without_a_folder_is_empty_and_says_what_to_do) {
  EXPECT_TRUE(stored_models().empty());
  const auto path = resolve_model_path("smollm2");
  EXPECT_EQ(path.status().code(), StatusCode::kNotFound);
  EXPECT_NE(path.status().message().find("make demo"), std::string::npos) << path.status().message();
}

TEST_F(Store, a_name_is_a_folder_with_one_gguf_file_a_hugging_face_folder_or_a_gguf_file) {
  const std::string single = put("one/weights.gguf");
  const std::string split = put("parts/m-00001-of-00002.gguf");
  put("parts/m-00002-of-00002.gguf");
  const std::string config = put("hf/config.json");
  put("hf/model.safetensors");
  const std::string file = put("loose.gguf");
  put(".one.partial/weights.gguf");
  EXPECT_EQ(resolve_model_path("one").value(), single);
  EXPECT_EQ(resolve_model_path("parts").value(), split);
  EXPECT_EQ(resolve_model_path("hf").value(), std::filesystem::path(config).parent_path());
  EXPECT_EQ(resolve_model_path("loose").value(), file);
  std::string names;
  for (const StoredModel& model : stored_models()) names += model.name + " ";
  EXPECT_EQ(names, "hf loose one parts ") << "what is being downloaded is no model yet";
}

TEST_F(Store, a_misspelt_name_brings_the_nearest) {
  put("smollm2-135m-instruct/model.gguf");
  const auto path = resolve_model_path("smolm2-135m-instruct");
  EXPECT_NE(path.status().message().find("did you mean smollm2-135m-instruct?"), std::string::npos) << path.status().message();
}

TEST_F(Store, a_folder_with_several_gguf_files_asks_which) {
  put("two/a.gguf");
  put("two/b.gguf");
  const auto path = resolve_model_path("two");
  EXPECT_FALSE(path.ok());
  EXPECT_NE(path.status().message().find("a.gguf, b.gguf"), std::string::npos) << path.status().message();
}

TEST_F(Store, a_path_is_never_looked_up_in_the_store) {
  put("one/weights.gguf");
  EXPECT_FALSE(resolve_model_path("./one").ok());
  EXPECT_FALSE(resolve_model_path("../models/one").ok());
  EXPECT_FALSE(resolve_model_path("").ok());
}

}  // namespace
}  // namespace atelier::models
