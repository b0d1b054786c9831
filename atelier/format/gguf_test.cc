#include "atelier/format/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "atelier/format/gguf_writer.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::format {
namespace {

GgufMetadata sample_metadata() {
  GgufMetadata metadata;
  metadata.set_string("general.architecture", "llama");
  metadata.set_uint32("llama.block_count", 30);
  metadata.set_float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  metadata.set_bool("tokenizer.ggml.add_bos_token", false);
  metadata.set_strings("tokenizer.ggml.tokens", std::vector<std::string>{"a", "", "ü"});
  metadata.set_float32s("tokenizer.ggml.scores", std::vector<float>{0, -1, -2});
  metadata.set_int32s("tokenizer.ggml.token_type", std::vector<int32_t>{1, 3, -1});
  metadata.set_bools("flags", {true, false});
  return metadata;
}

// Three tensors whose bytes count up from 1.
const std::vector<TensorInfo> kTensors = {{"a", DType::kF32, {2, 3}}, {"b", DType::kQ4_0, {1, 2, 32}}, {"c", DType::kF16, {}}};

Status write_tensors(CheckpointWriter& writer, const std::vector<int64_t>& sizes) {
  char next = 1;
  for (const int64_t size : sizes) {
    std::string bytes;
    for (int64_t i = 0; i < size; ++i) bytes += next++;
    ATELIER_RETURN_IF_ERROR(writer.write(bytes.data(), size));
  }
  return writer.finish();
}

TEST(Gguf, WhatIsWrittenIsRead) {
  testing::TemporaryFolder folder;
  auto writer = create_gguf(folder / "x.gguf", sample_metadata(), kTensors).value();
  ASSERT_TRUE(write_tensors(*writer, {10, 14, 36, 2}).ok()) << "a tensor may come in pieces";
  const auto file = Gguf::open(folder / "x.gguf").value();
  EXPECT_EQ(file->format(), "GGUF v3");
  EXPECT_EQ(file->get_int("llama.block_count").value(), 30);
  EXPECT_EQ(file->get_double("llama.attention.layer_norm_rms_epsilon").value(), static_cast<double>(1e-5f));
  EXPECT_FALSE(file->get_bool("tokenizer.ggml.add_bos_token").value());
  EXPECT_EQ(file->get_strings("tokenizer.ggml.tokens").value(), (std::vector<std::string>{"a", "", "ü"}));
  EXPECT_EQ(file->get_ints("tokenizer.ggml.token_type").value(), (std::vector<int64_t>{1, 3, -1}));
  EXPECT_EQ(file->get_bools("flags").value(), (std::vector<bool>{true, false}));
  ASSERT_EQ(file->entries().size(), 3u);
  char next = 1;
  for (size_t i = 0; i < 3; ++i) {
    const TensorEntry& entry = file->entries()[i];
    EXPECT_EQ(entry.name, kTensors[i].name);
    EXPECT_EQ(entry.dtype, kTensors[i].dtype);
    EXPECT_EQ(entry.shape, kTensors[i].shape);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(entry.data) % 32, 0u);
    for (int64_t at = 0; at < entry.bytes; ++at) ASSERT_EQ(static_cast<const char*>(entry.data)[at], next++);
  }
}

TEST(Gguf, ValuesOfAnotherFileAreCopiedWithTheirType) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(create_gguf(folder / "x.gguf", sample_metadata(), {}).value()->finish().ok());
  const auto original = Gguf::open(folder / "x.gguf").value();
  GgufMetadata copied;
  for (const auto& [key, value] : original->metadata()) copied.set_value(key, value);
  ASSERT_TRUE(create_gguf(folder / "y.gguf", copied, {}).value()->finish().ok());
  EXPECT_EQ(io::read_file(folder / "x.gguf").value(), io::read_file(folder / "y.gguf").value());
}

TEST(Gguf, AlignmentIsStatedAndKept) {
  testing::TemporaryFolder folder;
  auto writer = create_gguf(folder / "x.gguf", sample_metadata(), kTensors, 4096).value();
  ASSERT_TRUE(write_tensors(*writer, {24, 36, 2}).ok());
  const auto file = Gguf::open(folder / "x.gguf").value();
  EXPECT_EQ(file->alignment(), 4096);
  for (const TensorEntry& entry : file->entries()) EXPECT_EQ(reinterpret_cast<uintptr_t>(entry.data) % 4096, 0u);
}

TEST(Gguf, SettingAKeyAgainReplacesIt) {
  GgufMetadata metadata = sample_metadata();
  const int64_t size = metadata.size();
  metadata.set_uint32("llama.block_count", 2);
  EXPECT_EQ(metadata.size(), size);
  metadata.remove("flags");
  EXPECT_EQ(metadata.size(), size - 1);
}

TEST(Gguf, EntriesKeepTheFileMapped) {
  testing::TemporaryFolder folder;
  auto writer = create_gguf(folder / "x.gguf", sample_metadata(), kTensors).value();
  ASSERT_TRUE(write_tensors(*writer, {24, 36, 2}).ok());
  auto file = Gguf::open(folder / "x.gguf").value();
  const TensorEntry entry = *file->find("a");
  file.reset();
  EXPECT_EQ(static_cast<const char*>(entry.data)[0], 1);
}

TEST(Gguf, ErrorsNameFileKeyAndValue) {
  testing::TemporaryFolder folder;
  const std::string path = folder / "x.gguf";
  ASSERT_TRUE(create_gguf(path, sample_metadata(), {}).value()->finish().ok());
  const auto file = Gguf::open(path).value();
  EXPECT_EQ(file->get_int("general.architecture").status().message(), path + ": general.architecture: is \"llama\", want an integer");
  EXPECT_EQ(file->get_int("none").status().message(), path + ": none: missing, want an integer");
  EXPECT_EQ(file->get_int("none", 5).value(), 5);
  EXPECT_FALSE(file->get_int("general.architecture", 5).ok()) << "a wrong kind is an error even with a fallback";
  EXPECT_FALSE(file->get_strings("tokenizer.ggml.scores").ok());
  EXPECT_FALSE(file->get_int("tokenizer.ggml.token_type").ok()) << "an array is no integer";
  EXPECT_FALSE(file->get_ints("llama.block_count").ok()) << "an integer is no array";
  EXPECT_EQ(file->get("token_embd.weight").status().code(), StatusCode::kNotFound);
}

TEST(GgufWriter, TooFewOrTooManyBytesAreRefusedAndNothingAppears) {
  testing::TemporaryFolder folder;
  EXPECT_FALSE(write_tensors(*create_gguf(folder / "x.gguf", {}, kTensors).value(), {24, 36}).ok());
  EXPECT_FALSE(write_tensors(*create_gguf(folder / "x.gguf", {}, kTensors).value(), {24, 37}).ok()) << "a call goes past a tensor";
  EXPECT_FALSE(write_tensors(*create_gguf(folder / "x.gguf", {}, kTensors).value(), {24, 36, 2, 1}).ok());
  EXPECT_TRUE(io::list_directory(folder.path())->empty());
}

TEST(GgufWriter, WhatTheFormatCannotHoldIsRefused) {
  testing::TemporaryFolder folder;
  const auto refused = [&](TensorInfo info) { return create_gguf(folder / "x.gguf", {}, {std::move(info)}).status(); };
  EXPECT_FALSE(refused({"a", DType::kF32, {1, 1, 1, 1, 1}}).ok());
  EXPECT_FALSE(refused({"a", DType::kQ4_0, {2, 31}}).ok());
  EXPECT_NE(refused({"a", DType::kNF4, {2, 64}}).message().find("has type NF4, which GGUF cannot hold"), std::string::npos);
  EXPECT_FALSE(refused({"a", DType::kF32, {2, 0}}).ok());
  EXPECT_FALSE(refused({std::string(64, 'n'), DType::kF32, {2}}).ok());
  EXPECT_FALSE(refused({"a", DType::kF32, {INT64_MAX, 2}}).ok());
  EXPECT_FALSE(create_gguf(folder / "x.gguf", {}, {{"a", DType::kF32, {1}}, {"a", DType::kF32, {1}}}).ok());
  EXPECT_FALSE(create_gguf(folder / "x.gguf", {}, {}, 24).ok()) << "alignment no power of two";
  EXPECT_TRUE(io::list_directory(folder.path())->empty());
}

// Part `index` of `count` with one tensor "t<index>".
void write_part(const std::string& path, uint32_t index, uint32_t count, uint32_t tensors_in_all) {
  GgufMetadata metadata;
  metadata.set_uint32("split.no", index);
  metadata.set_uint32("split.count", count);
  metadata.set_uint32("split.tensors.count", tensors_in_all);
  auto writer = create_gguf(path, metadata, {{"t" + std::to_string(index), DType::kF32, {1}}}).value();
  const float value = static_cast<float>(index);
  ASSERT_TRUE(writer->write(&value, sizeof value).ok());
  ASSERT_TRUE(writer->finish().ok());
}

TEST(GgufSplit, MissingAndForeignPartsAreNamed) {
  testing::TemporaryFolder folder;
  write_part(folder / "m-00001-of-00002.gguf", 0, 2, 2);
  const Status missing = Gguf::open(folder / "m-00001-of-00002.gguf").status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_NE(missing.message().find("m-00002-of-00002.gguf: part 2 of 2 is missing"), std::string::npos) << missing.message();
  write_part(folder / "m-00002-of-00002.gguf", 0, 2, 2);
  EXPECT_EQ(Gguf::open(folder / "m-00001-of-00002.gguf").status().code(), StatusCode::kCorrupt) << "part 1 twice";
  write_part(folder / "m-00002-of-00002.gguf", 1, 2, 2);
  EXPECT_EQ(Gguf::open(folder / "m-00001-of-00002.gguf").value()->entries().size(), 2u);
}

TEST(GgufSplit, NamesAndTensorCountsMustFit) {
  testing::TemporaryFolder folder;
  write_part(folder / "renamed.gguf", 0, 2, 2);
  EXPECT_EQ(Gguf::open(folder / "renamed.gguf").status().code(), StatusCode::kInvalidArgument);
  write_part(folder / "m-00001-of-00002.gguf", 0, 2, 3);
  write_part(folder / "m-00002-of-00002.gguf", 1, 2, 3);
  const Status wrong_count = Gguf::open(folder / "m-00001-of-00002.gguf").status();
  EXPECT_NE(wrong_count.message().find("split.tensors.count is 3"), std::string::npos) << wrong_count.message();
}

TEST(GgufValue, IsShownShort) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(create_gguf(folder / "x.gguf", sample_metadata(), {}).value()->finish().ok());
  const auto file = Gguf::open(folder / "x.gguf").value();
  EXPECT_EQ(file->find_value("general.architecture")->to_string(), "\"llama\"");
  EXPECT_EQ(file->find_value("llama.attention.layer_norm_rms_epsilon")->to_string(), "1e-05");
  EXPECT_EQ(file->find_value("tokenizer.ggml.token_type")->to_string(), "[1, 3, -1]");
  EXPECT_EQ(file->find_value("flags")->to_string(), "[true, false]");
}

}  // namespace
}  // namespace atelier::format
