// Every architecture against transformers: the tiny random models of tests/golden/models, whose logits were computed by transformers
// 5.23 in float32 (tests/golden/make_model_goldens.py). Both forms of config.json, all positions; then the promises on the same
// models: the same bits when the prompt is cut anywhere, with any number of threads, alone or beside other sequences.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "atelier/models/model.h"
#include "atelier/parallel/parallel.h"

namespace atelier::models {
namespace {

namespace fs = std::filesystem;

struct Sequence {
  std::vector<int32_t> ids;
  std::vector<float> logits;  // [T, V]
};

struct Golden {
  fs::path folder;
  std::vector<Sequence> sequences;
  double tolerance = 0;
};

std::vector<float> read_floats(const fs::path& path) {
  const std::string bytes = io::read_file(path).value();
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

Sequence read_sequence(const fs::path& folder, const Json& json) {
  Sequence out;
  for (const Json& id : json.find("ids")->as_array()) out.ids.push_back(static_cast<int32_t>(id.as_int()));
  out.logits = read_floats(folder / json.get_string("logits_file").value());
  return out;
}

Golden read_golden(const fs::path& folder) {
  const Json json = Json::parse(io::read_file(folder / "golden.json").value(), "golden.json").value();
  Golden out{folder, {}, json.get_double("atol").value()};
  if (const Json* sequences = json.find("sequences")) {
    for (const Json& sequence : sequences->as_array()) out.sequences.push_back(read_sequence(folder, sequence));
  } else {
    out.sequences.push_back(read_sequence(folder, json));
  }
  return out;
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(ATELIER_SOURCE_DIR "/tests/golden/models")) {
    if (fs::exists(entry.path() / "golden.json")) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A copy of the golden folder whose config.json is `config_name`.
class ModelFolder {
 public:
  ModelFolder(const fs::path& golden, const std::string& config_name) {
    std::string pattern = (fs::temp_directory_path() / "atelier-golden-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    for (const auto& entry : fs::directory_iterator(golden)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with("config")) fs::create_symlink(entry.path(), path_ / name);
    }
    fs::create_symlink(golden / config_name, path_ / "config.json");
  }
  ~ModelFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::unique_ptr<Model> load(const fs::path& path, int64_t context, std::optional<DType> kv = {}) {
  Result<std::unique_ptr<Model>> model = load_model(path, {.precision = Precision::kF32, .kv = kv, .context = context});
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : nullptr;
}

std::vector<float> run(Model& model, std::span<const int32_t> ids, nn::KvCache& cache) {
  const Result<std::span<const float>> logits = model.forward(ids, cache, static_cast<int64_t>(ids.size()));
  EXPECT_TRUE(logits.ok()) << logits.status().message();
  return std::vector<float>(logits->begin(), logits->end());
}

std::vector<float> run(Model& model, std::span<const int32_t> ids) {
  nn::KvCache cache = model.new_cache().value();
  return run(model, ids, cache);
}

void expect_same_bits(std::span<const float> a, std::span<const float> b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << what;
}

class GoldenModel : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_num_threads(1); }  // the models are tiny; waking a team costs more than their work
  void TearDown() override { set_num_threads(available_cores()); }

  Golden golden_ = read_golden(fs::path(ATELIER_SOURCE_DIR) / "tests/golden/models" / GetParam());
  const Sequence& longest() const { return golden_.sequences.back(); }
  int64_t length() const { return static_cast<int64_t>(longest().ids.size()); }
};

TEST_P(GoldenModel, logits_equal_transformers_for_both_config_forms) {
  for (const char* config : {"config.json", "config_old.json"}) {
    if (!fs::exists(golden_.folder / config)) continue;
    const ModelFolder folder(golden_.folder, config);
    for (const Sequence& sequence : golden_.sequences) {
      const auto model = load(folder.path(), static_cast<int64_t>(sequence.ids.size()));
      ASSERT_NE(model, nullptr) << config;
      const std::vector<float> logits = run(*model, sequence.ids);
      ASSERT_EQ(logits.size(), sequence.logits.size()) << config;
      double worst = 0;
      for (size_t i = 0; i < logits.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(logits[i]) - sequence.logits[i]));
      EXPECT_LE(worst, golden_.tolerance) << config;
    }
  }
}

TEST_P(GoldenModel, a_prompt_cut_anywhere_gives_the_same_bits) {
  for (const DType kv : {DType::kF32, DType::kF16}) {
    const auto model = load(golden_.folder, length(), kv);
    ASSERT_NE(model, nullptr);
    const std::vector<int32_t>& ids = longest().ids;
    const std::vector<float> whole = run(*model, ids);
    for (size_t cut = 1; cut < ids.size(); ++cut) {
      nn::KvCache cache = model->new_cache().value();
      std::vector<float> parts = run(*model, std::span(ids).first(cut), cache);
      const std::vector<float> rest = run(*model, std::span(ids).subspan(cut), cache);
      parts.insert(parts.end(), rest.begin(), rest.end());
      expect_same_bits(whole, parts, "cut at " + std::to_string(cut));
    }
  }
}

TEST_P(GoldenModel, one_and_two_threads_give_the_same_bits) {
  const auto model = load(golden_.folder, length());
  ASSERT_NE(model, nullptr);
  const std::vector<float> one = run(*model, longest().ids);
  set_num_threads(2);
  const std::vector<float> two = run(*model, longest().ids);
  expect_same_bits(one, two, "threads");
}

TEST_P(GoldenModel, a_sequence_gives_the_same_bits_alone_and_beside_others) {
  const auto model = load(golden_.folder, length());
  ASSERT_NE(model, nullptr);
  const std::vector<int32_t>& ids = longest().ids;
  const std::vector<float> alone = run(*model, ids);

  // Beside a shorter sequence before it and a reversed one behind it.
  std::vector<int32_t> together(ids.begin(), ids.begin() + 5);
  together.insert(together.end(), ids.begin(), ids.end());
  together.insert(together.end(), ids.rbegin(), ids.rend());
  nn::KvCache caches[] = {model->new_cache().value(), model->new_cache().value(), model->new_cache().value()};
  const nn::RowRun runs[] = {{&caches[0], 5}, {&caches[1], length()}, {&caches[2], length()}};
  std::vector<int64_t> rows(ids.size());
  std::iota(rows.begin(), rows.end(), 5);
  const Result<std::span<const float>> logits = model->forward_batch(together, runs, rows);
  ASSERT_TRUE(logits.ok()) << logits.status().message();
  expect_same_bits(alone, *logits, "beside others");
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenModel, testing::ValuesIn(golden_names()), [](const auto& folder) {
  std::string name = folder.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(Architectures, every_one_has_a_golden_model) {
  std::vector<std::string> seen;
  for (const char* kind : {"models", "encoders", "seq2seq"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(ATELIER_SOURCE_DIR) / "tests/golden" / kind)) {
      if (!fs::exists(entry.path() / "golden.json")) continue;
      const auto model = load(entry.path(), 0);
      if (model != nullptr) seen.push_back(model->arch().name);
    }
  }
  for (const ArchDef* arch : architectures()) EXPECT_NE(std::find(seen.begin(), seen.end(), arch->name), seen.end()) << arch->name;
}

TEST(ModelForward, refuses_ids_outside_the_vocabulary_and_a_full_cache) {
  const auto model = load(fs::path(ATELIER_SOURCE_DIR) / "tests/golden/models/llama2", 4);
  ASSERT_NE(model, nullptr);
  nn::KvCache cache = model->new_cache().value();
  const std::vector<int32_t> bad = {1, 1 << 20};
  EXPECT_EQ(model->forward(bad, cache).status().code(), StatusCode::kInvalidArgument);
  const std::vector<int32_t> long_prompt = {1, 2, 3, 4, 5};
  EXPECT_EQ(model->forward(long_prompt, cache).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(cache.length(), 0);
}

}  // namespace
}  // namespace atelier::models
