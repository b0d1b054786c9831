// Files that the gguf and safetensors Python packages wrote (tests/golden/make_format_goldens.py).
#include <gtest/gtest.h>

#include <cstring>

#include "atelier/base/half.h"
#include "atelier/format/gguf.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/format/safetensors.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::format {
namespace {

const std::string kFolder = ATELIER_SOURCE_DIR "/tests/golden/format/";

// The elements of an entry of plain type, whatever its alignment.
template <typename T>
std::vector<T> values(const TensorEntry& entry) {
  std::vector<T> out(static_cast<size_t>(entry.count()));
  EXPECT_EQ(out.size() * sizeof(T), static_cast<size_t>(entry.bytes));
  std::memcpy(out.data(), entry.data, out.size() * sizeof(T));
  return out;
}

template <typename T>
std::vector<T> arange(int count) {
  std::vector<T> out;
  for (int i = 0; i < count; ++i) out.push_back(static_cast<T>(i));
  return out;
}

std::vector<float> decoded(const std::vector<uint16_t>& bits, float (*decode)(uint16_t)) {
  std::vector<float> out;
  for (const uint16_t b : bits) out.push_back(decode(b));
  return out;
}

void expect_golden_tensors(const Gguf& file) {
  ASSERT_EQ(file.entries().size(), 5u);
  const TensorEntry& f32 = *file.find("f32");
  EXPECT_EQ(f32.shape, (std::vector<int64_t>{2, 3})) << "PyTorch order";
  EXPECT_EQ(values<float>(f32), arange<float>(6));
  const TensorEntry& f16 = *file.find("f16");
  EXPECT_EQ(f16.shape, (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(decoded(values<uint16_t>(f16), f16_to_f32), arange<float>(24));
  EXPECT_EQ(values<int32_t>(*file.find("i32")), arange<int32_t>(5));
  EXPECT_EQ(decoded(values<uint16_t>(*file.find("bf16")), bf16_to_f32), arange<float>(8));
  const TensorEntry& q8_0 = *file.find("q8_0");
  EXPECT_EQ(q8_0.dtype, DType::kQ8_0);
  EXPECT_EQ(q8_0.shape, (std::vector<int64_t>{2, 64}));
  EXPECT_EQ(q8_0.bytes, 4 * 34);
  EXPECT_EQ(static_cast<const int8_t*>(q8_0.data)[2 + 31], 127) << "the largest value of the first block";
}

TEST(PythonFiles, GgufMetadataOfEveryKind) {
  const auto file = Gguf::open(kFolder + "single.gguf").value();
  EXPECT_EQ(file->version(), 3u);
  EXPECT_EQ(file->get_string("general.architecture").value(), "golden");
  EXPECT_EQ(file->get_int("kinds.u8").value(), 255);
  EXPECT_EQ(file->get_int("kinds.i8").value(), -128);
  EXPECT_EQ(file->get_int("kinds.u16").value(), 65535);
  EXPECT_EQ(file->get_int("kinds.i16").value(), -32768);
  EXPECT_EQ(file->get_int("kinds.u32").value(), 4294967295);
  EXPECT_EQ(file->get_int("kinds.i32").value(), -2147483648LL);
  EXPECT_EQ(file->get_int("kinds.i64").value(), INT64_MIN);
  EXPECT_FALSE(file->get_int("kinds.u64").ok()) << "above int64";
  EXPECT_EQ(file->get_double("kinds.u64").value(), 0x1p64);
  EXPECT_EQ(file->get_double("kinds.f32").value(), static_cast<double>(1e-5f));
  EXPECT_EQ(file->get_double("kinds.f64").value(), 0.1);
  EXPECT_TRUE(file->get_bool("kinds.bool").value());
  EXPECT_EQ(file->get_string("kinds.string").value(), "ü\n\"x\"");
  EXPECT_EQ(file->get_strings("kinds.strings").value(), (std::vector<std::string>{"<s>", "", "Ġthe", "▁a"}));
  EXPECT_EQ(file->get_floats("kinds.floats").value(), (std::vector<float>{0, -1.5, 2}));
  EXPECT_EQ(file->get_ints("kinds.ints").value(), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(file->get_bools("kinds.bools").value(), (std::vector<bool>{true, false, true}));
}

TEST(PythonFiles, GgufTensors) {
  expect_golden_tensors(*Gguf::open(kFolder + "single.gguf").value());
  const auto aligned = Gguf::open(kFolder + "aligned.gguf").value();
  EXPECT_EQ(aligned->alignment(), 256);
  expect_golden_tensors(*aligned);
}

TEST(PythonFiles, OurWriterRepeatsPythonsGgufByteForByte) {
  testing::TemporaryFolder folder;
  const auto file = Gguf::open(kFolder + "single.gguf").value();
  GgufMetadata metadata;
  for (const auto& [key, value] : file->metadata()) metadata.set_value(key, value);
  std::vector<TensorInfo> infos;
  for (const TensorEntry& entry : file->entries()) infos.push_back({entry.name, entry.dtype, entry.shape});
  const auto writer = create_gguf(folder / "x.gguf", metadata, infos).value();
  for (const TensorEntry& entry : file->entries()) ASSERT_TRUE(writer->write(entry.data, entry.bytes).ok());
  ASSERT_TRUE(writer->finish().ok());
  EXPECT_EQ(io::read_file(folder / "x.gguf").value(), io::read_file(kFolder + "single.gguf").value());
}

TEST(PythonFiles, ASplitGgufOpensByAnyOfItsParts) {
  for (const char* name : {"split-00001-of-00003.gguf", "split-00002-of-00003.gguf", "split-00003-of-00003.gguf"}) {
    const auto file = Gguf::open(kFolder + name).value();
    EXPECT_EQ(file->get_string("general.architecture").value(), "golden") << name;
    expect_golden_tensors(*file);
  }
}

void expect_golden_tensors(const Safetensors& file) {
  ASSERT_EQ(file.entries().size(), 9u);
  EXPECT_EQ(values<double>(*file.find("f64")), arange<double>(4));
  EXPECT_EQ(values<float>(*file.find("f32")), arange<float>(6));
  EXPECT_EQ(file.find("f16")->shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(decoded(values<uint16_t>(*file.find("f16")), f16_to_f32), arange<float>(6));
  EXPECT_EQ(decoded(values<uint16_t>(*file.find("bf16")), bf16_to_f32), arange<float>(8));
  EXPECT_EQ(values<int64_t>(*file.find("i64")), arange<int64_t>(3));
  EXPECT_EQ(values<int8_t>(*file.find("i8")), arange<int8_t>(3));
  EXPECT_EQ(values<int8_t>(*file.find("mask")), (std::vector<int8_t>{1, 0, 1}));
  EXPECT_TRUE(file.find("scalar")->shape.empty());
  EXPECT_EQ(values<float>(*file.find("scalar")), std::vector<float>{7});
  EXPECT_EQ(file.find("empty")->shape, (std::vector<int64_t>{0, 4}));
}

TEST(PythonFiles, SafetensorsSingle) {
  const auto file = Safetensors::open(kFolder + "single.safetensors").value();
  expect_golden_tensors(*file);
  EXPECT_EQ(file->metadata().at("note"), "ü");
}

TEST(PythonFiles, SafetensorsShardedByFolderAndByIndex) {
  expect_golden_tensors(*Safetensors::open(kFolder + "sharded").value());
  expect_golden_tensors(*Safetensors::open(kFolder + "sharded/model.safetensors.index.json").value());
}

}  // namespace
}  // namespace atelier::format
