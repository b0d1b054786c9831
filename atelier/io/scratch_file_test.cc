#include "atelier/io/scratch_file.h"

#include <gtest/gtest.h>

#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

TEST(ScratchFile, gives_back_what_was_appended_and_leaves_no_name) {
  const testing::TemporaryFolder folder;
  ScratchFile file = ScratchFile::create(folder.path()).value();
  ASSERT_TRUE(file.append("hello ").ok());
  ASSERT_TRUE(file.append("world").ok());
  EXPECT_EQ(file.size(), 11);
  EXPECT_EQ(file.read(0, 5).value(), "hello");
  EXPECT_EQ(file.read(6, 100).value(), "world");
  EXPECT_TRUE(list_directory(folder.path()).value().empty());
}

TEST(ScratchFile, a_missing_folder_is_an_error_that_names_it) {
  const auto file = ScratchFile::create("/nowhere/at/all");
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.status().message().find("/nowhere/at/all"), std::string::npos);
}

}  // namespace
}  // namespace atelier::io
