#include "atelier/io/line_file.h"

#include <gtest/gtest.h>

#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

TEST(LineFile, goes_on_where_it_stopped_and_removes_a_torn_line) {
  const atelier::testing::TemporaryFolder folder;
  const std::string path = folder / "results.jsonl";
  std::vector<std::string> lines;
  {
    LineFile file = LineFile::open(path, lines).value();
    EXPECT_TRUE(lines.empty());
    ASSERT_TRUE(file.append("one").ok());
    ASSERT_TRUE(file.append("two").ok());
  }
  ASSERT_TRUE(write_file(path, read_file(path).value() + "thr").ok());
  LineFile file = LineFile::open(path, lines).value();
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  ASSERT_TRUE(file.append("three").ok());
  EXPECT_EQ(read_file(path).value(), "one\ntwo\nthree\n");
}

TEST(LineFile, a_folder_that_is_not_there_is_an_error_line) {
  std::vector<std::string> lines;
  EXPECT_EQ(LineFile::open("/nowhere/results.jsonl", lines).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace atelier::io
