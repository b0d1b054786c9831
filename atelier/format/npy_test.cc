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

}  // namespace
}  // namespace atelier::format
