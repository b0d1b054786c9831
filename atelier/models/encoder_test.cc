// Encoders and their heads against transformers: the tiny random models of tests/golden/encoders, whose outputs were computed by
// transformers 5.23 in float32, each sequence alone (tests/golden/make_encoder_goldens.py). Here they run packed, and the promises are
// tested on the same models.
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

const fs::path kGoldens = fs::path(ATELIER_SOURCE_DIR) / "tests/golden/encoders";

std::vector<int32_t> integers(const Json& json, const char* key) {
  std::vector<int32_t> out;
  for (const Json& value : json.find(key)->as_array()) out.push_back(static_cast<int32_t>(value.as_int()));
  return out;
}

struct Sequence {
  std::vector<int32_t> ids, segments;
  std::map<std::string, std::vector<float>> outputs;  // hidden, pooled, logits, task
};

struct Golden {
  explicit Golden(const std::string& name) : folder(kGoldens / name) {
    const Json json = Json::parse(io::read_file(folder / "golden.json").value(), "golden.json").value();
    tolerance = json.get_double("atol").value();
    for (const Json& entry : json.find("sequences")->as_array()) {
      Sequence sequence{integers(entry, "ids"), integers(entry, "segments"), {}};
      for (const char* key : {"hidden", "pooled", "logits", "task"}) {
        if (!entry.contains(key)) continue;
        const std::string bytes = io::read_file(folder / entry.get_string(key).value()).value();
        std::vector<float>& values = sequence.outputs[key];
        values.resize(bytes.size() / sizeof(float));
        std::memcpy(values.data(), bytes.data(), bytes.size());
      }
      sequences.push_back(std::move(sequence));
    }
  }

  fs::path folder;
  double tolerance = 0;
  std::vector<Sequence> sequences;
};

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kGoldens)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<Model> load(const fs::path& path, const LoadOptions& options = {.precision = Precision::kF32}) {
  Result<std::unique_ptr<Model>> model = load_model(path, options);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : nullptr;
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

// Everything that the model says of the sequences, run together.
std::map<std::string, std::vector<float>> run(Model& model, std::span<const Sequence> sequences) {
  std::vector<int32_t> ids;
  std::vector<nn::RowRun> runs;
  for (const Sequence& sequence : sequences) {
    ids.insert(ids.end(), sequence.ids.begin(), sequence.ids.end());
    nn::RowRun& run = runs.emplace_back(nn::RowRun{nullptr, static_cast<int64_t>(sequence.ids.size())});
    if (model.spec().num_segments > 1) run.segments = sequence.segments;
  }
  const Status status = model.run(ids, runs);
  EXPECT_TRUE(status.ok()) << status.message();
  const Tensor& hidden = model.hidden();
  std::map<std::string, std::vector<float>> out;
  out["hidden"] = {hidden.f32(), hidden.f32() + hidden.count()};
  if (model.spec().has_pooler) out["pooled"] = copy(model.pooled());
  if (model.spec().has_language_head) {
    std::vector<int64_t> rows(ids.size());
    std::iota(rows.begin(), rows.end(), 0);
    out["logits"] = copy(model.logits(rows));
  }
  if (model.spec().head.kind != nn::HeadKind::kNone) out["task"] = copy(model.task_logits());
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class GoldenEncoder : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }
  Golden golden_{GetParam()};
};

TEST_P(GoldenEncoder, equals_transformers_on_packed_sequences) {
  const auto model = load(golden_.folder);
  ASSERT_NE(model, nullptr);
  const auto outputs = run(*model, golden_.sequences);
  std::map<std::string, std::vector<float>> wanted;
  for (const Sequence& sequence : golden_.sequences) {
    for (const auto& [key, values] : sequence.outputs) wanted[key].insert(wanted[key].end(), values.begin(), values.end());
  }
  for (const auto& [key, values] : wanted) {
    ASSERT_TRUE(outputs.contains(key)) << key;
    ASSERT_EQ(outputs.at(key).size(), values.size()) << key;
    double worst = 0;
    for (size_t i = 0; i < values.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(outputs.at(key)[i]) - values[i]));
    EXPECT_LE(worst, golden_.tolerance) << key;
  }
}

TEST_P(GoldenEncoder, a_sequence_gives_the_same_bits_alone_and_beside_others_on_any_threads) {
  for (const Precision precision : {Precision::kF32, Precision::kAuto}) {
    const auto model = load(golden_.folder, {.precision = precision});
    ASSERT_NE(model, nullptr);
    const auto together = run(*model, golden_.sequences);
    std::map<std::string, std::vector<float>> alone;
    set_num_threads(2);
    for (const Sequence& sequence : golden_.sequences) {
      for (const auto& [key, values] : run(*model, std::span(&sequence, 1)))
        alone[key].insert(alone[key].end(), values.begin(), values.end());
    }
    set_num_threads(1);
    for (const auto& [key, values] : together) EXPECT_TRUE(same_bits(values, alone[key])) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Encoders, GoldenEncoder, testing::ValuesIn(golden_names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST(EncoderTypes, float_matrices_become_what_is_asked_for_and_stay_close) {
  const Golden golden("bert");  // rows of 20 and 28 are no blocks of 32: they stay
  const auto exact = load(golden.folder), rounded = load(golden.folder, {.precision = Precision::kAuto, .type = DType::kBF16});
  const auto kept = load(golden.folder, {.precision = Precision::kAuto, .type = DType::kQ8_0});
  ASSERT_TRUE(exact && rounded && kept);
  EXPECT_EQ(rounded->transformer().parameters().layers[0].mlp.up.weight.dtype(), DType::kBF16);
  EXPECT_EQ(kept->transformer().parameters().layers[0].mlp.up.weight.dtype(), DType::kF32);
  EXPECT_EQ(rounded->transformer().parameters().embedding.dtype(), DType::kF32);
  const auto wanted = run(*exact, golden.sequences)["hidden"], got = run(*rounded, golden.sequences)["hidden"];
  EXPECT_GT(cosine(wanted, got), 0.999);
  EXPECT_FALSE(same_bits(wanted, got));
}

TEST(Encoder, refuses_what_it_cannot_do_in_one_line) {
  const auto model = load(kGoldens / "roberta");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->new_cache().status().message(), "roberta is an encoder, which writes no text; use embed, fill, classify, tag or answer");
  EXPECT_FALSE(model->new_pool(4).ok());
  const std::vector<int32_t> ids(79, 5), one = {5}, segments = {1}, two = {0, 0};
  const nn::RowRun too_long{nullptr, 79}, unknown{nullptr, 1, 0, {}, segments}, uneven{nullptr, 1, 0, {}, two};
  EXPECT_EQ(model->context(), 78);  // 80 rows of positions, of which the first two are never reached
  EXPECT_EQ(model->run(ids, std::span(&too_long, 1)).message(), "document: 79 tokens, must be 1 to 78; cut it into shorter texts");
  EXPECT_EQ(model->run(one, std::span(&unknown, 1)).message(), "document: segment 1, this model has 1");
  EXPECT_EQ(model->run(one, std::span(&uneven, 1)).message(), "document: 2 segments for 1 tokens");
}

TEST(Encoder, reads_labels_and_kinds_of_problems) {
  const auto model = load(kGoldens / "bert-many-labels"), regression = load(kGoldens / "bert-regression");
  ASSERT_TRUE(model && regression);
  EXPECT_EQ(model->spec().head.problem, nn::ProblemKind::kManyLabels);
  EXPECT_EQ(model->spec().head.labels, (std::vector<std::string>{"label 0", "label 1", "label 2", "label 3"}));
  EXPECT_EQ(regression->spec().head.problem, nn::ProblemKind::kRegression);
}

}  // namespace
}  // namespace atelier::models
