#include "atelier/io/file_lock.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace atelier::io {
namespace {

TEST(FileLock, is_held_once_and_given_back) {
  const std::string path = testing::TempDir() + "file_lock_test";
  {
    const auto first = FileLock::acquire(path);
    ASSERT_TRUE(first.ok()) << first.status().message();
    EXPECT_NE(FileLock::acquire(path).status().message().find("in use"), std::string::npos);
  }
  EXPECT_TRUE(FileLock::acquire(path).ok());
  EXPECT_FALSE(FileLock::acquire(testing::TempDir() + "no/such/folder/lock").ok());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace atelier::io
