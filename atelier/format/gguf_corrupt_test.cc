// Damaged and hostile GGUF files: each gives one error line, no crash, and no allocation beyond what its bytes justify.
#include <gtest/gtest.h>

#include "atelier/format/gguf.h"
#include "atelier/io/file.h"
#include "tests/support/allocation_watch.h"

namespace atelier::format {
namespace {

constexpr uint64_t kBillions = 5'000'000'000, kWraps = uint64_t{1} << 63;

// Builds files field by field, so that each field can be wrong.
class Bytes {
 public:
  template <typename T>
  Bytes& number(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& u32(uint32_t value) { return number(value); }
  Bytes& u64(uint64_t value) { return number(value); }
  Bytes& raw(const std::string& bytes) {
    text_ += bytes;
    return *this;
  }
  Bytes& string(const std::string& s) { return u64(s.size()).raw(s); }
  Bytes& header(uint64_t num_tensors, uint64_t num_values, uint32_t version = 3) {
    return raw("GGUF").u32(version).u64(num_tensors).u64(num_values);
  }
  Bytes& key(const std::string& name, GgufType type) { return string(name).u32(static_cast<uint32_t>(type)); }
  Bytes& array(const std::string& name, GgufType type, uint64_t count) {
    return key(name, GgufType::kArray).u32(static_cast<uint32_t>(type)).u64(count);
  }
  Bytes& tensor(const std::string& name, const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset) {
    string(name).u32(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) u64(dim);
    return u32(type).u64(offset);
  }
  Bytes& data(size_t count, size_t alignment = 32) {
    text_.append((alignment - text_.size() % alignment) % alignment, '\0');
    return raw(std::string(count, '\x7f'));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Result<std::shared_ptr<const Gguf>> read(const std::string& text) {
  const std::vector<uint8_t> exact(text.begin(), text.end());  // so that a sanitizer sees every byte beyond
  return Gguf::from_bytes(exact, "x.gguf", nullptr);
}

void expect_refused(const Bytes& bytes, StatusCode code, const std::string& part_of_message) {
  const size_t num_bytes = bytes.text().size();
  testing::reset_allocations();
  const Status status = read(bytes.text()).status();
  EXPECT_LT(testing::largest_allocation(), 64 * num_bytes + 4096);
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part_of_message), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_LT(status.message().size(), 400u) << status.message();
}
void expect_corrupt(const Bytes& bytes, const std::string& part) { expect_refused(bytes, StatusCode::kCorrupt, part); }
void expect_unsupported(const Bytes& bytes, const std::string& part) { expect_refused(bytes, StatusCode::kUnsupported, part); }

TEST(AllocationWatch, SeesVectors) {
  testing::reset_allocations();
  const std::vector<char> big(100'000);
  EXPECT_GE(testing::largest_allocation(), big.size());
  EXPECT_LT(testing::largest_allocation(), 2 * big.size());
}

TEST(GgufCorrupt, TheBuilderItselfMakesReadableFiles) {
  Bytes bytes;
  bytes.header(1, 1).key("a", GgufType::kUint32).u32(7).tensor("t", {4, 2}, 0, 0).data(32);
  const auto file = read(bytes.text());
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ((*file)->find("t")->shape, (std::vector<int64_t>{2, 4}));
}

TEST(GgufCorrupt, Headers) {
  expect_corrupt(Bytes(), "does not start with");
  expect_corrupt(Bytes().raw("GGU"), "does not start with");
  expect_corrupt(Bytes().raw("ggjt").u32(3).u64(0).u64(0), "does not start with");
  expect_corrupt(Bytes().raw("GGUF"), "file ends inside the header");
  expect_unsupported(Bytes().header(0, 0, 1), "version 1");
  expect_unsupported(Bytes().header(0, 0, 4), "version 4");
  expect_unsupported(Bytes().header(0, 0, 0x03000000), "big-endian");
}

TEST(GgufCorrupt, CountsBeyondTheFile) {
  expect_corrupt(Bytes().header(kBillions, 0), "5000000000 tensors, but only 0 bytes");
  expect_corrupt(Bytes().header(0, kBillions), "5000000000 metadata values");
  expect_corrupt(Bytes().header(UINT64_MAX, UINT64_MAX), "metadata values");
  expect_corrupt(Bytes().header(kWraps, 0), "tensors");
  expect_corrupt(Bytes().header(0, 1).u64(kBillions).raw("key and more bytes"), "file ends inside metadata key 0");
  expect_corrupt(Bytes().header(0, 1).u64(UINT64_MAX).raw("key and more bytes"), "file ends inside metadata key 0");
}

TEST(GgufCorrupt, Keys) {
  expect_corrupt(Bytes().header(0, 1).key("", GgufType::kUint32).u32(1), "0 bytes long, want 1 to 65535");
  expect_corrupt(Bytes().header(0, 1).key(std::string(65536, 'k'), GgufType::kUint32).u32(1), "65536 bytes long");
  expect_corrupt(Bytes().header(0, 2).key("a", GgufType::kUint32).u32(1).key("a", GgufType::kUint32).u32(1), "\"a\" stands twice");
}

TEST(GgufCorrupt, Values) {
  expect_corrupt(Bytes().header(0, 1).string("a").u32(13).u64(1), "unknown type id 13");
  expect_corrupt(Bytes().header(0, 1).string("a").u32(UINT32_MAX).u64(1), "unknown type id 4294967295");
  expect_corrupt(Bytes().header(0, 1).key("a", GgufType::kUint64).u32(1), "but only 4 bytes are left");
  expect_corrupt(Bytes().header(0, 1).key("a", GgufType::kString).u64(100).raw("short"), "file ends inside string 0");
  expect_corrupt(Bytes().header(0, 1).key("a", GgufType::kString).u64(UINT64_MAX), "file ends inside string 0");
}

TEST(GgufCorrupt, Arrays) {
  expect_corrupt(Bytes().header(0, 1).array("a", GgufType::kUint32, kBillions).u32(1), "5000000000 x u32");
  expect_corrupt(Bytes().header(0, 1).array("a", GgufType::kUint64, kWraps / 4).u64(1), "x u64");
  expect_corrupt(Bytes().header(0, 1).array("a", GgufType::kUint64, (UINT64_MAX >> 3) + 2).u64(1).u64(1), "x u64");
  expect_corrupt(Bytes().header(0, 1).array("a", GgufType::kString, kBillions).u64(0), "5000000000 x string");
  expect_corrupt(Bytes().header(0, 1).array("a", GgufType::kString, 2).string("x").u64(9), "file ends inside string 1");
  expect_corrupt(Bytes().header(0, 1).array("a", static_cast<GgufType>(99), 1).u64(1), "unknown type id 99");
  Bytes nested;
  nested.header(0, 1).string("a");
  for (int depth = 0; depth < 10'000; ++depth) nested.u32(9).u64(1);
  expect_refused(nested, StatusCode::kCorrupt, "\"a\"");
  expect_unsupported(Bytes().header(0, 1).array("a", GgufType::kArray, 1).u32(4).u64(1).u32(7), "holds arrays");
}

TEST(GgufCorrupt, Alignment) {
  const auto with_alignment = [](uint32_t alignment) {
    return Bytes().header(1, 1).key("general.alignment", GgufType::kUint32).u32(alignment).tensor("t", {8}, 0, 0).data(64);
  };
  for (const uint32_t alignment : {0u, 3u, 48u, 1u << 21, UINT32_MAX}) expect_corrupt(with_alignment(alignment), "want a power of two");
  expect_corrupt(Bytes().header(0, 1).key("general.alignment", GgufType::kString).string("32"), "want a power of two");
  EXPECT_TRUE(read(with_alignment(16).text()).ok());
}

TEST(GgufCorrupt, TensorNamesAndShapes) {
  expect_corrupt(Bytes().header(1, 0).tensor("", {8}, 0, 0).data(32), "0 bytes long");
  expect_corrupt(Bytes().header(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64), "\"t\" stands twice");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {1, 1, 1, 1, 1}, 0, 0).data(32), "5 dimensions, limit 4");
  expect_corrupt(Bytes().header(1, 0).string("t").u32(UINT32_MAX).u64(1).u64(1), "4294967295 dimensions");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {0}, 0, 0).data(32), "dimension of 0");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {kWraps}, 0, 0).data(32), "dimension of 9223372036854775808");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {uint64_t{1} << 32, uint64_t{1} << 32}, 0, 0).data(32), "larger than any file");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {uint64_t{1} << 62}, 0, 0).data(32), "larger than any file");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {uint64_t{1} << 31, uint64_t{1} << 31, 4}, 24, 0).data(32), "larger than any file");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {33}, 2, 0).data(64), "no whole blocks of Q4_0 (32)");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {32}, 12, 0).data(256), "no whole blocks of Q4_K (256)");
}

TEST(GgufCorrupt, TensorTypes) {
  expect_unsupported(Bytes().header(1, 0).tensor("t", {256}, 17, 0).data(256), "type IQ2_XS (id 17) of tensor \"t\"; use a file of type");
  expect_unsupported(Bytes().header(1, 0).tensor("t", {256}, 39, 0).data(256), "MXFP4");
  expect_unsupported(Bytes().header(1, 0).tensor("t", {256}, 40, 0).data(256), "NVFP4");
  expect_unsupported(Bytes().header(1, 0).tensor("t", {256}, 31, 0).data(256), "retired");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {256}, 12345, 0).data(256), "unknown type id 12345");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {256}, 256 + 8, 0).data(512), "unknown type id 264");
}

TEST(GgufCorrupt, TensorPlaces) {
  expect_corrupt(Bytes().header(1, 0).tensor("t", {8}, 0, 8).data(64), "no multiple of the alignment 32");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {8}, 0, 64).data(64), "needs 32 bytes at offset 64, the data ends at 64");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {8}, 0, 0).data(31), "the data ends at 31");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {8}, 0, 0), "the data ends at 0");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {8}, 0, UINT64_MAX - 31).data(64), "needs 32 bytes at offset 18446744073709551584");
  expect_corrupt(Bytes().header(1, 0).tensor("t", {kBillions}, 0, 0).data(64), "needs 20000000000 bytes");
  expect_corrupt(Bytes().header(2, 0).tensor("a", {16}, 0, 0).tensor("b", {8}, 0, 32).data(64), "\"a\" and \"b\" overlap");
  expect_corrupt(Bytes().header(2, 0).tensor("a", {8}, 0, 32).tensor("b", {16}, 0, 0).data(64), "\"b\" and \"a\" overlap");
  expect_corrupt(Bytes().header(2, 0).tensor("a", {8}, 0, 0).tensor("b", {8}, 0, 0).data(64), "overlap");
}

TEST(GgufCorrupt, NotANumberInTheDataIsTheReadersBusinessNotTheFiles) {
  Bytes bytes;
  bytes.header(1, 0).tensor("t", {32}, 2, 0).data(0).number(uint16_t{0x7e00}).raw(std::string(16, '\xff'));
  EXPECT_TRUE(read(bytes.text()).ok());
}

TEST(GgufCorrupt, HoldsBackHostileNames) {
  expect_corrupt(Bytes().header(2, 0).tensor("a\n\x1b[31m", {8}, 0, 0).tensor("a\n\x1b[31m", {8}, 0, 0).data(64), "a\\n\\x1b[31m");
}

// A real small file, to be damaged.
std::string golden() { return io::read_file(ATELIER_SOURCE_DIR "/tests/golden/format/single.gguf").value(); }

TEST(GgufCorrupt, TruncatedAnywhere) {
  const std::string text = golden();
  const auto whole = read(text).value();
  const TensorEntry& last = whole->entries().back();
  const size_t padding = 16;  // behind the last tensor's 16 bytes
  ASSERT_EQ(last.bytes, 16);
  for (size_t length = 0; length < text.size(); ++length) {
    const bool is_whole = length >= text.size() - padding;
    const auto result = read(text.substr(0, length));
    ASSERT_EQ(result.ok(), is_whole) << length;
  }
}

TEST(GgufCorrupt, AnyByteChangedIsReadOrRefusedInBounds) {
  const std::string text = golden();
  for (size_t at = 0; at < text.size(); ++at) {
    for (const char value : {'\0', '\xff', static_cast<char>(text[at] ^ 0x80), static_cast<char>(text[at] + 1)}) {
      std::string damaged = text;
      damaged[at] = value;
      const std::vector<uint8_t> exact(damaged.begin(), damaged.end());
      testing::reset_allocations();
      const auto file = Gguf::from_bytes(exact, "x.gguf", nullptr);
      ASSERT_LT(testing::largest_allocation(), 64 * text.size()) << at;
      if (!file.ok()) continue;
      for (const TensorEntry& entry : (*file)->entries()) {
        const auto* data = static_cast<const uint8_t*>(entry.data);
        ASSERT_TRUE(data >= exact.data() && entry.bytes <= exact.data() + exact.size() - data) << at;
      }
      for (const auto& [key, metadata_value] : (*file)->metadata()) EXPECT_FALSE(metadata_value.to_string().empty());
    }
  }
}

}  // namespace
}  // namespace atelier::format
