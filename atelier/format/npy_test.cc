#include "atelier/format/npy.h"

#include <gtest/gtest.h>

#include <cstring>

#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::format {
namespace {

TEST(Npy, HeaderAndDataAreNumpys) {
  testing::TemporaryFolder folder;
  const std::vector<float> data = {0, 1, 2, 3, 4, 5};
  ASSERT_TRUE(write_npy(folder / "x.npy", data, std::vector<int64_t>{2, 3}).ok());
  const std::string text = io::read_file(folder / "x.npy").value();
  EXPECT_EQ(text.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t header = static_cast<uint8_t>(text[8]) + 256u * static_cast<uint8_t>(text[9]);
  EXPECT_EQ((10 + header) % 64, 0u) << "data is aligned for mapping";
  EXPECT_EQ(text[10 + header - 1], '\n');
  EXPECT_NE(text.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, ), }"), std::string::npos);
  ASSERT_EQ(text.size(), 10 + header + 24);
  EXPECT_EQ(std::memcmp(text.data() + 10 + header, data.data(), 24), 0);
}

TEST(Npy, AnyShapeLengthKeepsTheAlignment) {
  testing::TemporaryFolder folder;
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{}, {1}, {1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}) {
    ASSERT_TRUE(write_npy(folder / "x.npy", std::vector<float>{7}, shape).ok());
    EXPECT_EQ(io::file_size(folder / "x.npy").value() % 64, 4);
  }
}

// Bytes of numpy.savez(x=numpy.arange(3, dtype="i8")) but for the headers' spaces: what numpy 2 and unzip read.
TEST(Npz, IsAZipArchiveOfNpyFiles) {
  testing::TemporaryFolder folder;
  const std::vector<float> x = {0, 1, 2, 3, 4, 5};
  const std::vector<int64_t> ids = {7, -1};
  const std::vector<NpzArray> arrays = {{"x", x, {2, 3}}, {"ids", ids, {2}}};
  ASSERT_TRUE(write_npz(folder / "a.npz", arrays).ok());
  ASSERT_TRUE(write_npy(folder / "x.npy", x, std::vector<int64_t>{2, 3}).ok());
  const std::string zip = io::read_file(folder / "a.npz").value(), npy = io::read_file(folder / "x.npy").value();
  EXPECT_EQ(zip.substr(0, 4), "PK\x03\x04");
  EXPECT_EQ(zip.substr(30, 5), "x.npy");
  EXPECT_EQ(zip.substr(35, npy.size()), npy);
  const auto u32 = [&](size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, zip.data() + at, 4);
    return value;
  };
  EXPECT_EQ(u32(14), 0x123779b2u);  // zlib.crc32 of x.npy
  EXPECT_EQ(u32(18), npy.size());
  const size_t end = zip.size() - 22;
  EXPECT_EQ(zip.substr(end, 4), "PK\x05\x06");
  EXPECT_EQ(u32(end + 16) + u32(end + 12), end);  // the directory stands before its end
  EXPECT_EQ(zip.substr(u32(end + 16), 4), "PK\x01\x02");
  EXPECT_NE(zip.find("'descr': '<i8', 'fortran_order': False, 'shape': (2, )"), std::string::npos);
}

}  // namespace
}  // namespace atelier::format
