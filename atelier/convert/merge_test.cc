#include "atelier/convert/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "atelier/convert/convert.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter.h"
#include "atelier/models/adapter_writer.h"
#include "atelier/models/model.h"
#include "tests/support/adapter_golden.h"
#include "tests/support/temporary_folder.h"

namespace atelier::convert {
namespace {

using Golden = atelier::testing::AdapterGolden;

std::vector<AdapterPart> parts_of(const Golden& golden) {
  std::vector<AdapterPart> parts;
  for (const auto& [folder, weight] : golden.adapters) parts.push_back({folder, weight});
  return parts;
}

Golden golden(const std::string& name) { return atelier::testing::read_adapter_golden(name); }

void expect_logits(const std::string& path, const Golden& expected, float tolerance) {
  const auto loaded = models::load_model(path, {.precision = Precision::kF32});
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  nn::KvCache cache = (*loaded)->new_cache().value();
  const auto logits = (*loaded)->forward(expected.ids, cache, static_cast<int64_t>(expected.ids.size())).value();
  ASSERT_EQ(logits.size(), expected.logits.size());
  for (size_t i = 0; i < logits.size(); ++i) ASSERT_NEAR(logits[i], expected.logits[i], tolerance) << i;
}

class Merge : public ::testing::TestWithParam<const char*> {};

TEST_P(Merge, the_merged_model_is_the_model_with_its_adapters) {
  const Golden expected = golden(GetParam());
  const atelier::testing::TemporaryFolder folder;
  const auto report = merge_adapters(expected.model, folder / "merged", parts_of(expected), {.type = "F32", .progress = {}});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_GT(report->num_merged, 0);
  EXPECT_GT(report->relative_change, 0);
  EXPECT_EQ(report->relative_loss, 0);
  expect_logits(folder / "merged", expected, 1e-4f);
}

INSTANTIATE_TEST_SUITE_P(Adapters, Merge,
                         ::testing::Values("lora", "rslora-patterns", "phi3-fused", "gpt2-conv1d", "bloom", "mixed", "lora-expressions",
                                           "dora", "dora-conv1d", "ia3", "ia3-conv1d"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(MergeGguf, a_file_with_paired_rotary_rows_stays_one_and_keeps_its_types) {
  const Golden expected = golden("lora");
  const atelier::testing::TemporaryFolder folder;
  ASSERT_TRUE(convert_model(expected.model, folder / "base.gguf", {}).ok());
  const auto report = merge_adapters(folder / "base.gguf", folder / "merged.gguf", parts_of(expected), {});
  ASSERT_TRUE(report.ok()) << report.status().message();
  expect_logits(folder / "merged.gguf", expected, 1e-4f);
  // A coarser type loses some of the change and says how much.
  const auto coarse = merge_adapters(folder / "base.gguf", folder / "coarse.gguf", parts_of(expected), {.type = "Q8_0", .progress = {}});
  ASSERT_TRUE(coarse.ok()) << coarse.status().message();
  EXPECT_GT(coarse->relative_loss, 0);
  EXPECT_LT(coarse->relative_loss, 0.5);
}

// Biases of a golden model that were moved, as `train` saves them.
std::string save_moved_biases(const std::string& model, const std::string& folder, float step) {
  const models::TrainOptions options{.adapter = {.kind = models::AdapterKind::kBitFit}};
  const auto trained = models::TrainableModel::from_checkpoint(model, options).value();
  float next = step;
  for (models::TrainParameter& parameter : trained->parameters()) {
    for (int64_t i = 0; i < parameter.value.count(); ++i) parameter.value.f32()[i] += 0.2f * std::sin(next += step);
  }
  EXPECT_TRUE(io::make_directories(folder).ok());
  EXPECT_TRUE(models::save_adapter(*trained, {}, folder).ok());
  return folder;
}

// Logits of a model with adapters beside it.
Golden with_adapters(const std::string& path, const std::vector<AdapterPart>& parts) {
  Golden out{path, {}, {1, 7, 3, 9, 4, 2, 8}, {}};
  const auto model = models::load_model(path, {.precision = Precision::kF32}).value();
  std::vector<std::shared_ptr<const nn::Adapter>> adapters;
  std::vector<nn::AppliedAdapter> applied;
  for (const AdapterPart& part : parts) {
    auto adapter = models::load_adapter(*model, part.folder);
    EXPECT_TRUE(adapter.ok()) << adapter.status().message();
    adapters.push_back(*adapter);
    applied.push_back({adapters.back().get(), part.weight});
  }
  const std::vector<int64_t> rows = {0, 1, 2, 3, 4, 5, 6};
  nn::KvCache cache = model->new_cache().value();
  const nn::RowRun run{.cache = &cache, .num_rows = 7, .adapters = applied};
  const auto logits = model->forward_batch(out.ids, std::span(&run, 1), rows).value();
  out.logits.assign(logits.begin(), logits.end());
  return out;
}

TEST(MergeBiases, the_merged_model_is_the_model_with_its_biases_mixed_with_other_adapters) {
  for (const char* name : {"gpt1", "gpt2", "bloom", "qwen2", "llama-bias"}) {
    SCOPED_TRACE(name);
    const atelier::testing::TemporaryFolder folder;
    const std::string model = ATELIER_SOURCE_DIR "/tests/golden/models/" + std::string(name);
    const std::vector<AdapterPart> mixed = {{save_moved_biases(model, folder / "one", 0.37f), 0.5f},
                                            {save_moved_biases(model, folder / "two", 0.61f), -1.25f}};
    const auto report = merge_adapters(model, folder / "merged", mixed, {.type = "F32", .progress = {}});
    ASSERT_TRUE(report.ok()) << report.status().message();
    EXPECT_GT(report->relative_change, 0);
    expect_logits(folder / "merged", with_adapters(model, mixed), 1e-4f);
  }
  // A bias that (IA)^3 scales behind its addition.
  const atelier::testing::TemporaryFolder folder;
  const Golden scales = golden("ia3-conv1d");
  std::vector<AdapterPart> mixed = parts_of(scales);
  mixed.insert(mixed.begin(), {save_moved_biases(scales.model, folder / "one", 0.37f), 0.5f});
  ASSERT_TRUE(merge_adapters(scales.model, folder / "merged", mixed, {.type = "F32", .progress = {}}).ok());
  expect_logits(folder / "merged", with_adapters(scales.model, mixed), 1e-4f);
}

TEST(MergeBiases, a_file_with_paired_rotary_rows_takes_biases_that_were_trained_on_a_folder) {
  const std::string model = ATELIER_SOURCE_DIR "/tests/golden/models/llama-bias";
  const atelier::testing::TemporaryFolder folder;
  ASSERT_TRUE(convert_model(model, folder / "base.gguf", {}).ok());
  const std::vector<AdapterPart> parts = {{save_moved_biases(model, folder / "moved", 0.37f), 1}};
  const Golden expected = with_adapters(model, parts);
  const Golden of_file = with_adapters(folder / "base.gguf", parts);
  for (size_t i = 0; i < expected.logits.size(); ++i) ASSERT_NEAR(of_file.logits[i], expected.logits[i], 1e-4f) << i;
  ASSERT_TRUE(merge_adapters(folder / "base.gguf", folder / "merged.gguf", parts, {}).ok());
  expect_logits(folder / "merged.gguf", expected, 1e-4f);
}

TEST(MergeErrors, are_one_line_and_leave_nothing) {
  const Golden known = golden("lora");
  const atelier::testing::TemporaryFolder folder;
  const auto message = [&](const std::string& target, const std::vector<AdapterPart>& adapters) {
    return merge_adapters(known.model, folder / target, adapters, {}).status().message();
  };
  EXPECT_EQ(message("x", {}), "merge: no adapter is given; name one with --adapter");
  EXPECT_NE(message("x.gguf", parts_of(known)).find("the target must be a folder"), std::string::npos);
  EXPECT_NE(message("x", {{folder / "nothing", 1}}), "");
  EXPECT_NE(message("x", parts_of(golden("prompt"))).find("cannot be merged"), std::string::npos);
  EXPECT_NE(message("x", parts_of(golden("embedding"))).find("tied"), std::string::npos);
  EXPECT_TRUE(io::list_directory(folder.path())->empty());
}

}  // namespace
}  // namespace atelier::convert
