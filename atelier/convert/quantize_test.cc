#include "atelier/convert/quantize.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "atelier/convert/measure_importance.h"
#include "atelier/format/checkpoint.h"
#include "atelier/format/gguf.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/io/file.h"
#include "atelier/models/model.h"
#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

// In memory where the system has such a folder: every file that is written is also fsynced.
std::filesystem::path scratch_root() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

class Quantize : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = scratch_root() / ("atelier_quantize_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // A Llama-like file of one layer with a few tensors; matrices have rows of 256, weights run through [-1, 1).
  void write_source(float special = 0.25f) {
    format::GgufMetadata metadata;
    metadata.set_string("general.architecture", "llama");
    metadata.set_string("custom.note", "kept");
    metadata.set_uint32("llama.block_count", 1);
    metadata.set_uint32("llama.attention.head_count", 4);
    infos_ = {{"token_embd.weight", DType::kF32, {64, 256}},
              {"blk.0.attn_norm.weight", DType::kF32, {256}},
              {"blk.0.attn_q.weight", DType::kF32, {256, 256}},
              {"blk.0.ffn_up.weight", DType::kF32, {288, 256}}};
    auto writer = format::create_gguf(path("source.gguf"), metadata, infos_).value();
    for (const format::TensorInfo& info : infos_) {
      int64_t count = 1;
      for (const int64_t n : info.shape) count *= n;
      std::vector<float> values(static_cast<size_t>(count));
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7919 % 2048) / 1024 - 1;
      if (info.name == "blk.0.ffn_up.weight") values[1000] = special;
      ASSERT_TRUE(writer->write(values.data(), count * 4).ok());
    }
    ASSERT_TRUE(writer->finish().ok());
  }

  Result<QuantizeReport> quantize(const std::string& type, const ImportanceMatrix* importance = nullptr) {
    QuantizeOptions options;
    options.type = type;
    options.importance = importance;
    return quantize_model(path("source.gguf"), path("target.gguf"), options);
  }

  std::vector<format::TensorInfo> infos_;

 private:
  std::filesystem::path folder_;
};

TEST_F(Quantize, packs_every_matrix_as_quant_does) {
  write_source();
  ASSERT_TRUE(quantize("Q5_K_S").ok());
  const auto source = format::open_checkpoint(path("source.gguf")).value(), target = format::open_checkpoint(path("target.gguf")).value();
  const format::TensorEntry& before = **source->get("blk.0.attn_q.weight");
  const format::TensorEntry& after = **target->get("blk.0.attn_q.weight");
  ASSERT_EQ(after.dtype, DType::kQ5_K);
  std::vector<float> values(static_cast<size_t>(before.count()));
  std::memcpy(values.data(), before.data, static_cast<size_t>(before.bytes));
  std::vector<uint8_t> packed(static_cast<size_t>(after.bytes));
  quant::from_f32(DType::kQ5_K, values.data(), packed.data(), before.count());
  EXPECT_EQ(std::memcmp(after.data, packed.data(), packed.size()), 0);
}

TEST_F(Quantize, keeps_metadata_and_says_what_it_did) {
  write_source();
  const QuantizeReport report = quantize("Q4_K_M").value();
  const auto target = format::open_checkpoint(path("target.gguf")).value();
  EXPECT_EQ(target->as_gguf()->get_string("custom.note").value(), "kept");
  EXPECT_EQ(target->as_gguf()->get_int("general.file_type").value(), 15);
  EXPECT_EQ(target->as_gguf()->get_int("general.quantization_version").value(), 2);
  ASSERT_EQ(report.tensors.size(), 4u);
  EXPECT_EQ(report.tensors[0].to, DType::kQ6_K) << "the embedding is the output too";
  EXPECT_EQ(report.tensors[1].to, DType::kF32);
  EXPECT_EQ(report.tensors[2].to, DType::kQ4_K);
  EXPECT_EQ(report.target_bytes, target->total_bytes());
  EXPECT_LT(report.target_bytes, report.source_bytes / 5);
}

TEST_F(Quantize, the_same_type_again_copies_the_bytes) {
  write_source();
  QuantizeOptions options;
  options.type = "Q4_K_S";
  ASSERT_TRUE(quantize("Q4_K_S").ok());
  ASSERT_TRUE(quantize_model(path("target.gguf"), path("again.gguf"), options).ok());
  EXPECT_EQ(io::read_file(path("target.gguf")).value(), io::read_file(path("again.gguf")).value());
}

TEST_F(Quantize, importance_is_used_where_it_is_known) {
  write_source();
  ImportanceMatrix importance;
  std::vector<float> x(256, 0.1f);
  for (size_t i = 0; i < 16; ++i) x[i] = 10;
  importance.add("blk.0.attn_q.weight", x, 256);
  const QuantizeReport report = quantize("Q4_K_S", &importance).value();
  EXPECT_FALSE(report.tensors[0].has_importance);
  EXPECT_TRUE(report.tensors[2].has_importance);
  EXPECT_FALSE(report.tensors[3].has_importance);

  const auto error_of_first_columns = [&] {
    const auto source = format::open_checkpoint(path("source.gguf")).value(), target = format::open_checkpoint(path("target.gguf")).value();
    const auto* before = static_cast<const float*>((*source->get("blk.0.attn_q.weight"))->data);
    const format::TensorEntry& after = **target->get("blk.0.attn_q.weight");
    std::vector<float> values(static_cast<size_t>(after.count()));
    quant::to_f32(after.dtype, after.data, values.data(), after.count());
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += i % 256 < 16 ? std::abs(values[i] - before[i]) : 0;
    return sum;
  };
  const double with = error_of_first_columns();
  ASSERT_TRUE(quantize("Q4_K_S").ok());
  EXPECT_LT(with, 0.9 * error_of_first_columns());
}

TEST_F(Quantize, an_importance_of_another_width_is_refused) {
  write_source();
  ImportanceMatrix importance;
  importance.add("blk.0.attn_q.weight", std::vector<float>(128, 1.0f), 128);
  EXPECT_EQ(quantize("Q4_K_S", &importance).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Quantize, a_weight_that_is_not_finite_is_named) {
  write_source(std::numeric_limits<float>::quiet_NaN());
  const Status status = quantize("Q4_K_S").status();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("\"blk.0.ffn_up.weight\", row 3, column 232"), std::string::npos) << status.message();
  EXPECT_FALSE(io::is_file(path("target.gguf")));
}

TEST_F(Quantize, what_f16_cannot_hold_is_refused) {
  write_source(70000);
  EXPECT_EQ(quantize("F16").status().code(), StatusCode::kUnsupported);
  EXPECT_TRUE(quantize("BF16").ok());
  EXPECT_TRUE(quantize("Q4_K_M").ok());
}

TEST_F(Quantize, refuses_to_overwrite_its_source) {
  write_source();
  EXPECT_EQ(quantize_model(path("source.gguf"), path("source.gguf"), {}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Quantize, an_importance_matrix_survives_its_file) {
  ImportanceMatrix importance;
  importance.add("blk.0.attn_q.weight", std::vector<float>{1, 2, 3, 4, 5, 6}, 3);
  ASSERT_TRUE(importance.save(path("imatrix.gguf"), "text.txt").ok());
  const ImportanceMatrix read = ImportanceMatrix::load(path("imatrix.gguf")).value();
  EXPECT_EQ(read.of("blk.0.attn_q.weight", 3).value(), (std::vector<float>{8.5f, 14.5f, 22.5f}));
  EXPECT_TRUE(read.of("unknown", 3).value().empty());
}

TEST_F(Quantize, importance_is_measured_on_the_inputs_of_every_matrix) {
  const std::string folder = std::string(ATELIER_SOURCE_DIR) + "/tests/golden/models/smollm2";
  const auto model = models::load_model(folder, {}).value();
  std::string text;
  for (int i = 0; i < 40; ++i) text += "The workshop opens early in the morning, and line " + std::to_string(i) + " says so. ";
  MeasureOptions options;
  options.context = 64;
  const ImportanceMatrix importance = measure_importance(*model, text, options).value();
  EXPECT_EQ(importance.size(), 2 * 7) << "two layers of seven matrices; the tied head has no entry";
  const std::vector<float> q = importance.of("blk.0.attn_q.weight", 32).value();
  EXPECT_EQ(importance.of("blk.0.attn_v.weight", 32).value(), q) << "query, key and value share their input";
  EXPECT_NE(importance.of("blk.1.attn_q.weight", 32).value(), q);
  for (const float mean_square : q) EXPECT_GT(mean_square, 0);
  EXPECT_EQ(importance.of("blk.0.ffn_down.weight", 64).value().size(), 64u);
  options.context = 100'000;
  EXPECT_EQ(measure_importance(*model, text, options).status().code(), StatusCode::kInvalidArgument) << "shorter than a window";
}

TEST_F(Quantize, the_older_importance_format_is_read_and_bounded) {
  std::string bytes;
  const auto number = [&](int32_t n) { bytes.append(reinterpret_cast<const char*>(&n), 4); };
  const float sums[] = {2, 8};
  number(1);
  number(3);
  bytes += "abc";
  number(2);
  number(2);
  bytes.append(reinterpret_cast<const char*>(sums), 8);
  const auto write = [&](const std::string& text) {
    std::FILE* file = std::fopen(path("old.dat").c_str(), "wb");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  };
  write(bytes);
  EXPECT_EQ(ImportanceMatrix::load(path("old.dat")).value().of("abc", 2).value(), (std::vector<float>{1, 4}));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    write(bytes.substr(0, cut));
    EXPECT_FALSE(ImportanceMatrix::load(path("old.dat")).ok()) << cut;
  }
  number(1'000'000'000);
  write(bytes.substr(bytes.size() - 4));
  EXPECT_EQ(ImportanceMatrix::load(path("old.dat")).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace atelier::convert
