// Round trips of the tiny golden models (tests/golden/models): folder -> GGUF -> folder, and what is refused.
#include "atelier/convert/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "atelier/convert/gguf_plan.h"
#include "atelier/convert/quantize.h"
#include "atelier/convert/spec_difference.h"
#include "atelier/format/gguf.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter.h"
#include "atelier/models/model.h"
#include "atelier/models/weights.h"
#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

std::string golden(const std::string& name) { return std::string(ATELIER_SOURCE_DIR) + "/tests/golden/models/" + name; }

// In memory where the system has such a folder: every file that is written is also fsynced.
std::filesystem::path scratch_root() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

class Convert : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = scratch_root() / ("atelier_convert_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

std::unique_ptr<models::Model> load(const std::string& path) {
  models::LoadOptions options;
  options.precision = Precision::kF32;
  Result<std::unique_ptr<models::Model>> model = models::load_model(path, options);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : nullptr;
}

std::vector<float> values(const format::TensorEntry& entry) {
  std::vector<float> out(static_cast<size_t>(entry.count()));
  quant::to_f32(entry.dtype, entry.data, out.data(), entry.count());
  return out;
}

// Logits [T, V] of a few ids.
std::vector<float> logits(models::Model& model) {
  const std::vector<int32_t> ids = {3, 17, 5, 42, 11, 8, 29};
  nn::KvCache cache = model.new_cache().value();
  const std::span<const float> out = model.forward(ids, cache, static_cast<int64_t>(ids.size())).value();
  return {out.begin(), out.end()};
}

// The same with an adapter of tests/golden/adapters.
std::vector<float> adapted_logits(models::Model& model, const std::string& adapter) {
  const std::vector<int32_t> ids = {3, 17, 5, 42, 11, 8, 29};
  const std::vector<int64_t> rows = {0, 1, 2, 3, 4, 5, 6};
  const auto loaded = models::load_adapter(model, std::string(ATELIER_SOURCE_DIR) + "/tests/golden/adapters/" + adapter).value();
  const nn::AppliedAdapter applied{loaded.get()};
  nn::KvCache cache = model.new_cache().value();
  const nn::RowRun run{.cache = &cache, .num_rows = 7, .adapters = std::span(&applied, 1)};
  const std::span<const float> out = model.forward_batch(ids, std::span(&run, 1), rows).value();
  return {out.begin(), out.end()};
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, float tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << "value " << i;
}

// Folders whose models GGUF can express.
class RoundTrip : public Convert, public testing::WithParamInterface<const char*> {};

TEST_P(RoundTrip, gives_the_same_logits_and_weights) {
  const std::string source = golden(GetParam());
  const Result<ConvertReport> to_gguf = convert_model(source, path("m.gguf"), {});
  ASSERT_TRUE(to_gguf.ok()) << to_gguf.status().message();
  const Result<ConvertReport> to_folder = convert_model(path("m.gguf"), path("back"), {});
  ASSERT_TRUE(to_folder.ok()) << to_folder.status().message();

  const auto original = load(source), gguf = load(path("m.gguf")), back = load(path("back"));
  ASSERT_TRUE(original && gguf && back);
  EXPECT_EQ(first_difference(original->spec(), gguf->spec()), "");
  EXPECT_EQ(first_difference(original->spec(), back->spec()), "");
  const std::vector<float> expected = logits(*original);
  expect_near(logits(*gguf), expected, 1e-4f);
  expect_near(logits(*back), expected, 1e-4f);
  for (const format::TensorEntry& entry : back->checkpoint().entries()) {
    const format::TensorEntry* before = models::find_tensor(original->checkpoint(), entry.name);
    ASSERT_NE(before, nullptr) << entry.name;
    EXPECT_EQ(before->shape, entry.shape) << entry.name;
    expect_near(values(entry), values(*before), 1e-6f);
  }
}

// GGUF's "llama" keeps rotary rows in pairs, and phi3 its projections in one tensor; adapters follow.
TEST_F(Convert, adapters_of_the_folder_fit_the_gguf_file) {
  for (const auto& [name, adapter] : {std::pair("llama3", "rslora-patterns"), std::pair("phi3", "phi3-fused")}) {
    const std::string target = path(std::string(name) + ".gguf");
    ASSERT_TRUE(convert_model(golden(name), target, {}).ok());
    const auto original = load(golden(name)), gguf = load(target);
    expect_near(adapted_logits(*gguf, adapter), adapted_logits(*original, adapter), 1e-4f);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RoundTrip,
                         testing::Values("llama2", "llama3", "smollm2", "llama-linear", "llama-yarn", "llama-bias", "llama-bf16",
                                         "llama-sharded", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3-linear", "phi3",
                                         "phi3-longrope", "phi3-partial", "gpt2", "gpt2-bare", "bloom", "bloom-heads3"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

struct Refusal {
  const char *model, *reason;
};
class Refused : public Convert, public testing::WithParamInterface<Refusal> {};

TEST_P(Refused, with_the_setting_that_gguf_has_no_place_for) {
  const Status status = convert_model(golden(GetParam().model), path("m.gguf"), {}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_NE(status.message().find(GetParam().reason), std::string::npos) << status.message();
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(path("m.gguf")).parent_path())) << "nothing is left behind";
}

INSTANTIATE_TEST_SUITE_P(Models, Refused,
                         testing::Values(Refusal{"gpt1", "no architecture for gpt1"}, Refusal{"llama-dynamic", "rotary frequency"},
                                         Refusal{"llama-yarn-mscale", "attention factor"}, Refusal{"qwen2-window", "window of layer"},
                                         Refusal{"gemma2-27b", "scale of attention scores"},
                                         Refusal{"bloom-postnorm", "place of the norms"}, Refusal{"llama-yarn-factor", "rotary frequency"}),
                         [](const auto& tested) {
                           std::string name = tested.param.model;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_F(Convert, rows_of_llama_stand_in_the_order_of_llama_cpp) {
  ASSERT_TRUE(convert_model(golden("llama3"), path("m.gguf"), {}).ok());
  const auto folder = format::open_checkpoint(golden("llama3")).value(), file = format::open_checkpoint(path("m.gguf")).value();
  const std::vector<float> q = values(**folder->get("model.layers.0.self_attn.q_proj.weight"));
  const std::vector<float> paired = values(**file->get("blk.0.attn_q.weight"));
  constexpr int64_t D = 16, C = 32;  // two heads of 16
  for (int64_t i = 0; i < D / 2; ++i) {
    for (int64_t c = 0; c < C; ++c) {
      ASSERT_EQ(paired[static_cast<size_t>((2 * i) * C + c)], q[static_cast<size_t>(i * C + c)]);
      ASSERT_EQ(paired[static_cast<size_t>((2 * i + 1) * C + c)], q[static_cast<size_t>((i + D / 2) * C + c)]);
    }
  }
}

TEST_F(Convert, vectors_are_f32_and_matrices_keep_their_type) {
  ASSERT_TRUE(convert_model(golden("llama-bf16"), path("m.gguf"), {}).ok());
  const auto file = format::open_checkpoint(path("m.gguf")).value();
  EXPECT_EQ((*file->get("blk.0.attn_q.weight"))->dtype, DType::kBF16);
  EXPECT_EQ((*file->get("blk.0.attn_norm.weight"))->dtype, DType::kF32);
  EXPECT_EQ(file->as_gguf()->get_int("general.file_type").value(), 32);
}

TEST_F(Convert, a_large_folder_is_sharded) {
  ASSERT_TRUE(convert_model(golden("smollm2"), path("m.gguf"), {}).ok());
  ConvertOptions options;
  options.shard_bytes = 50'000;
  options.type = "F16";
  ASSERT_TRUE(convert_model(path("m.gguf"), path("back"), options).ok());
  EXPECT_TRUE(io::is_file(path("back/model.safetensors.index.json")));
  EXPECT_NE(load(path("back")), nullptr);
}

TEST_F(Convert, tokenizer_and_template_come_along) {
  ASSERT_TRUE(convert_model(golden("smollm2"), path("m.gguf"), {}).ok());
  ASSERT_TRUE(convert_model(path("m.gguf"), path("back"), {}).ok());
  const auto original = load(golden("smollm2")), gguf = load(path("m.gguf")), back = load(path("back"));
  const std::string text = "The workshop opens at 7:30, and  they're early.\n\n\tnaïve – 日本語 🙂";
  const auto ids = [&](const models::Model& model) { return model.tokenizer().value()->encode(text).value().ids; };
  EXPECT_EQ(ids(*gguf), ids(*original));
  EXPECT_EQ(ids(*back), ids(*original));
  EXPECT_EQ(gguf->chat_template(), original->chat_template());
  EXPECT_EQ(back->chat_template(), original->chat_template());
  // A GGUF file names one end; the other ends that its vocabulary is known for join it: here <|endoftext|> (0) beside <|im_end|> (2).
  EXPECT_EQ(original->defaults().stop_ids, std::vector<int32_t>({2}));
  EXPECT_EQ(gguf->defaults().stop_ids, std::vector<int32_t>({0, 2}));
  EXPECT_EQ(back->defaults().stop_ids, std::vector<int32_t>({0, 2}));
}

TEST_F(Convert, an_existing_folder_is_not_touched) {
  ASSERT_TRUE(convert_model(golden("smollm2"), path("m.gguf"), {}).ok());
  std::filesystem::create_directories(path("taken"));
  std::ofstream(path("taken/notes.txt")) << "mine";
  const Status status = convert_model(path("m.gguf"), path("taken"), {}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(io::list_directory(path("taken")).value().size(), 1u);
}

TEST_F(Convert, refuses_what_is_no_change_of_layout) {
  ASSERT_TRUE(convert_model(golden("smollm2"), path("m.gguf"), {}).ok());
  EXPECT_NE(convert_model(path("m.gguf"), path("n.gguf"), {}).status().message().find("use quantize"), std::string::npos);
  EXPECT_EQ(convert_model(golden("smollm2"), path("folder"), {}).status().code(), StatusCode::kInvalidArgument);
  ConvertOptions options;
  options.type = "Q4_K_M";
  EXPECT_EQ(convert_model(path("m.gguf"), path("folder"), options).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Convert, names_a_type_that_it_cannot_write_before_it_reads_the_model) {
  ConvertOptions options;
  options.type = "Q4_KM";
  const std::string message = convert_model(golden("gpt1"), path("m.gguf"), options).status().message();  // which GGUF cannot hold at all
  EXPECT_EQ(message, "type \"Q4_KM\" cannot be written; did you mean Q4_K_M?");
  options.type = "NF4";
  EXPECT_NE(convert_model(golden("llama3"), path("m.gguf"), options).status().message().find("cannot be written"), std::string::npos);
}

TEST_F(Convert, stops_when_told_and_leaves_nothing) {
  ConvertOptions options;
  options.progress = [](int64_t, int64_t) { return false; };
  EXPECT_EQ(convert_model(golden("smollm2"), path("m.gguf"), options).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(path("m.gguf")).parent_path()));
}

TEST_F(Convert, quantized_files_become_folders_with_the_values_that_they_hold) {
  QuantizeOptions options;
  options.type = "Q8_0";
  ASSERT_TRUE(quantize_model(golden("smollm2"), path("q.gguf"), options).ok());
  ASSERT_TRUE(convert_model(path("q.gguf"), path("back"), {}).ok());
  const auto quantized = load(path("q.gguf")), back = load(path("back"));
  expect_near(logits(*back), logits(*quantized), 1e-4f);
}

}  // namespace
}  // namespace atelier::convert
