#include "atelier/io/line_stream.h"

#include <gtest/gtest.h>

#include "atelier/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  LineStream stream = LineStream::open(path).value();
  std::vector<std::string> lines;
  for (std::string line; stream.append_line(line).value(); line.clear()) lines.push_back(line);
  return lines;
}

TEST(LineStream, gives_lines_with_their_breaks_and_the_last_one_without) {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "a.txt";
  const std::string long_line(700000, 'x');  // more than a buffer
  ASSERT_TRUE(write_file(path, "one\n\n" + long_line + "\nlast").ok());
  EXPECT_EQ(lines_of(path), (std::vector<std::string>{"one\n", "\n", long_line + "\n", "last"}));
}

TEST(LineStream, an_empty_file_has_no_lines) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "a.txt", "").ok());
  EXPECT_TRUE(lines_of(folder / "a.txt").empty());
}

TEST(LineStream, gzip_is_unpacked_or_refused_in_one_line) {
  // printf 'one\ntwo\n' | gzip -n
  constexpr unsigned char kPacked[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0xcf, 0x4b, 0xe5,
                                       0x2a, 0x29, 0xcf, 0xe7, 0x02, 0x00, 0xe6, 0x0b, 0xba, 0x12, 0x08, 0x00, 0x00, 0x00};
  const testing::TemporaryFolder folder;
  const std::string path = folder / "a.gz";
  ASSERT_TRUE(write_file(path, std::string_view(reinterpret_cast<const char*>(kPacked), sizeof kPacked)).ok());
  LineStream stream = LineStream::open(path).value();
  std::string line;
  const Result<bool> got = stream.append_line(line);
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_EQ(line, "one\n");
}

TEST(LineStream, a_missing_file_is_an_error_that_names_it) {
  const auto stream = LineStream::open("/nowhere/a.txt");
  ASSERT_FALSE(stream.ok());
  EXPECT_NE(stream.status().message().find("/nowhere/a.txt"), std::string::npos);
}

}  // namespace
}  // namespace atelier::io
