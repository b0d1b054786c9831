#include "atelier/format/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "atelier/base/json.h"
#include "atelier/format/safetensors_writer.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/temporary_folder.h"

namespace atelier::format {
namespace {

std::string file_text(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string text(reinterpret_cast<const char*>(&length), sizeof length);
  return text + header + std::string(data_bytes, '\x01');
}

Result<std::shared_ptr<const Safetensors>> read(const std::string& text) {
  const std::vector<uint8_t> exact(text.begin(), text.end());
  return Safetensors::from_bytes(exact, "x.safetensors", nullptr);
}

void expect_refused(const std::string& text, StatusCode code, const std::string& part_of_message) {
  testing::reset_allocations();
  const Status status = read(text).status();
  EXPECT_LT(testing::largest_allocation(), 64 * text.size() + 4096);
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part_of_message), std::string::npos) << status.message();
  EXPECT_LT(status.message().size(), 400u) << status.message();
}
void expect_corrupt(const std::string& header, size_t data_bytes, const std::string& part) {
  expect_refused(file_text(header, data_bytes), StatusCode::kCorrupt, part);
}

TEST(SafetensorsCorrupt, Headers) {
  expect_refused("", StatusCode::kCorrupt, "0 bytes long");
  expect_refused("1234567", StatusCode::kCorrupt, "7 bytes long");
  expect_refused(std::string(8, '\xff'), StatusCode::kCorrupt, "states a header of 18446744073709551615 bytes");
  expect_refused(std::string("\x05\0\0\0\0\0\0\0{}", 10), StatusCode::kCorrupt, "5 bytes");
  expect_corrupt("[]", 0, "no JSON object");
  expect_corrupt("{", 0, "not JSON");
  expect_corrupt("{\"\xff\":1}", 0, "not JSON");
  expect_refused(file_text(std::string(100'000, '['), 0), StatusCode::kOutOfRange, "nested deeper");
  EXPECT_TRUE(read(file_text("{}", 0)).ok());
  EXPECT_TRUE(read(file_text("{}      ", 0)).ok()) << "padding with spaces";
}

TEST(SafetensorsCorrupt, Tensors) {
  expect_corrupt(R"({"a": 1})", 0, "\"a\" is no object");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]}})", 8, "shape is missing or no array");
  expect_corrupt(R"({"a": {"dtype": "F32", "data_offsets": [0, 8]}})", 8, "shape is missing");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 8]}})", 8, "holds -1, want a count");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}})", 8, "holds 2.0, want a count");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [18446744073709551617], "data_offsets": [0, 8]}})", 8, "want a count");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [1,1,1,1,1,1,1,1,1], "data_offsets": [0, 4]}})", 4, "9 elements, limit 8");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 8]}})", 8, "larger than any file");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [4611686018427387904], "data_offsets": [0, 0]}})", 0, "larger than any file");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}})", 8, "needs 12 bytes, its data_offsets give it 8");
}

TEST(SafetensorsCorrupt, Offsets) {
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", 7, "the data is 7 bytes long");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}})", 8, "data_offsets [8, 0]");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 16]}})", 16, "data_offsets [0, 8, 16]");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}})", 8, "want a count");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [9223372036854775800, 9223372036854775807]}})", 8,
                 "9223372036854775807");
  expect_corrupt(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", 9, "take 8 of 9 bytes");
  expect_corrupt(
      R"({"a": {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "I8", "shape": [4], "data_offsets": [2, 6]}})", 8,
      "\"a\" and \"b\" overlap");
  expect_corrupt(
      R"({"a": {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "I8", "shape": [2], "data_offsets": [5, 7]}})", 7,
      "take 6 of 7 bytes");
}

TEST(SafetensorsCorrupt, TypesAndMetadata) {
  const auto with_type = [](const std::string& type) {
    return file_text(R"({"a": {"dtype": ")" + type + R"(", "shape": [2], "data_offsets": [0, 2]}})", 2);
  };
  expect_refused(with_type("F8_E4M3"), StatusCode::kUnsupported, "F8_E4M3");
  expect_refused(with_type("U16"), StatusCode::kUnsupported, "want one of");
  expect_refused(with_type("f32"), StatusCode::kUnsupported, "\"f32\"");
  expect_refused(file_text(R"({"__metadata__": []})", 0), StatusCode::kCorrupt, "__metadata__ is no object");
  expect_refused(file_text(R"({"__metadata__": {"a": 1}})", 0), StatusCode::kCorrupt, "\"a\" is no string");
}

TEST(SafetensorsCorrupt, TruncatedAnywhere) {
  const std::string text = io::read_file(ATELIER_SOURCE_DIR "/tests/golden/format/single.safetensors").value();
  for (size_t length = 0; length < text.size(); ++length) ASSERT_FALSE(read(text.substr(0, length)).ok()) << length;
  EXPECT_TRUE(read(text).ok());
}

// The bytes of all tensors count up from 1, across shards.
Status write_counting(CheckpointWriter& writer, const std::vector<int64_t>& sizes) {
  char next = 1;
  for (const int64_t size : sizes) {
    std::string bytes;
    for (int64_t i = 0; i < size; ++i) bytes += next++;
    ATELIER_RETURN_IF_ERROR(writer.write(bytes.data(), size));
  }
  return writer.finish();
}

const std::vector<TensorInfo> kTensors = {{"a", DType::kF32, {2, 2}},
                                          {"none", DType::kF32, {0, 3}},
                                          {"b\"\n", DType::kBF16, {3}},
                                          {"c", DType::kI8, {}},
                                          {"d", DType::kF16, {4}}};
const std::vector<int64_t> kSizes = {16, 6, 1, 8};

void expect_counting(const Safetensors& file) {
  char next = 1;
  for (const TensorInfo& info : kTensors) {
    const TensorEntry* entry = file.find(info.name);
    ASSERT_TRUE(entry) << info.name;
    EXPECT_EQ(entry->dtype, info.dtype);
    EXPECT_EQ(entry->shape, info.shape);
    for (int64_t i = 0; i < entry->bytes; ++i) ASSERT_EQ(static_cast<const char*>(entry->data)[i], next++);
  }
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  testing::TemporaryFolder folder;
  auto writer = create_safetensors(folder.path(), kTensors).value();
  ASSERT_TRUE(write_counting(*writer, kSizes).ok());
  EXPECT_EQ(io::list_directory(folder.path()).value(), std::vector<std::string>{"model.safetensors"});
  const auto file = Safetensors::open(folder.path()).value();
  expect_counting(*file);
  EXPECT_EQ(file->metadata().at("format"), "pt");
}

TEST(Safetensors, ShardsBeginWhereTheNextTensorWouldPassTheSize) {
  testing::TemporaryFolder folder;
  SafetensorsOptions options;
  options.shard_bytes = 22;
  ASSERT_TRUE(write_counting(*create_safetensors(folder.path(), kTensors, options).value(), kSizes).ok());
  EXPECT_EQ(
      io::list_directory(folder.path()).value(),
      (std::vector<std::string>{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}));
  expect_counting(*Safetensors::open(folder.path()).value());
  const Json index = Json::parse(io::read_file(folder / "model.safetensors.index.json").value(), "index").value();
  EXPECT_EQ(index.find("metadata")->get_int("total_size").value(), 31);
  EXPECT_EQ(index.find("weight_map")->get_string("c").value(), "model-00002-of-00002.safetensors");
}

TEST(Safetensors, ATensorLargerThanAShardGetsItsOwn) {
  testing::TemporaryFolder folder;
  SafetensorsOptions options;
  options.shard_bytes = 1;
  ASSERT_TRUE(write_counting(*create_safetensors(folder.path(), kTensors, options).value(), kSizes).ok());
  EXPECT_EQ(io::list_directory(folder.path())->size(), 5u) << "four tensors with bytes, and the index";
  expect_counting(*Safetensors::open(folder.path()).value());
}

TEST(Safetensors, UnfinishedWritersLeaveNothing) {
  testing::TemporaryFolder folder;
  EXPECT_FALSE(write_counting(*create_safetensors(folder.path(), kTensors).value(), {16, 6, 1}).ok());
  EXPECT_FALSE(write_counting(*create_safetensors(folder.path(), kTensors).value(), {16, 7}).ok());
  EXPECT_TRUE(io::list_directory(folder.path())->empty());
}

TEST(Safetensors, BlockFormatsCannotBeWritten) {
  testing::TemporaryFolder folder;
  const Status status = create_safetensors(folder.path(), {{"a", DType::kQ4_0, {32}}}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_NE(status.message().find("cannot hold type Q4_0"), std::string::npos) << status.message();
}

// A folder with an index that says `weight_map` and one good shard "s.safetensors" that holds "a".
Status open_index(const std::string& weight_map) {
  testing::TemporaryFolder folder;
  const std::string shard = file_text(R"({"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]}})", 2);
  EXPECT_TRUE(io::write_file(folder / "s.safetensors", shard).ok());
  EXPECT_TRUE(io::write_file(folder / "model.safetensors.index.json", R"({"weight_map": )" + weight_map + "}").ok());
  return Safetensors::open(folder.path()).status();
}

TEST(SafetensorsIndex, MustNamePlainFilesThatHoldTheirTensors) {
  EXPECT_TRUE(open_index(R"({"a": "s.safetensors"})").ok());
  EXPECT_EQ(open_index(R"({"a": "s.safetensors", "b": "s.safetensors"})").code(), StatusCode::kCorrupt);
  EXPECT_EQ(open_index(R"({"a": "t.safetensors"})").code(), StatusCode::kNotFound);
  for (const char* evil : {"../s.safetensors", "/etc/passwd", "..", "", "x/../s.safetensors"}) {
    EXPECT_EQ(open_index(R"({"a": ")" + std::string(evil) + R"("})").code(), StatusCode::kCorrupt) << evil;
  }
  EXPECT_EQ(open_index(R"({"a": 1})").code(), StatusCode::kCorrupt);
  EXPECT_EQ(open_index("[]").code(), StatusCode::kCorrupt);
  EXPECT_EQ(open_index("{").code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace atelier::format
