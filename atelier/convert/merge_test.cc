#include "atelier/convert/merge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "atelier/convert/convert.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter.h"
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
