#include "atelier/io/atomic_file.h"

#include <gtest/gtest.h>

#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

TEST(AtomicFile, NothingStandsUnderTheNameBeforeCommit) {
  testing::TemporaryFolder folder;
  AtomicFile file = AtomicFile::create(folder / "x").value();
  ASSERT_TRUE(file.write("hello").ok());
  EXPECT_FALSE(is_file(folder / "x"));
  EXPECT_EQ(file.position(), 5);
  ASSERT_TRUE(file.commit().ok());
  EXPECT_EQ(read_file(folder / "x").value(), "hello");
  EXPECT_EQ(list_directory(folder.path())->size(), 1u) << "the temporary file is gone";
}

TEST(AtomicFile, WithoutCommitTheOldFileStaysAndNothingElse) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "x", "old").ok());
  {
    AtomicFile file = AtomicFile::create(folder / "x").value();
    ASSERT_TRUE(file.write("new").ok());
  }
  EXPECT_EQ(read_file(folder / "x").value(), "old");
  EXPECT_EQ(list_directory(folder.path())->size(), 1u);
}

TEST(AtomicFile, LargeAndSmallWritesKeepTheirOrder) {
  testing::TemporaryFolder folder;
  AtomicFile file = AtomicFile::create(folder / "x").value();
  std::string expected;
  for (const size_t count : {1u, 3'000'000u, 2u, 1u << 20, 700'000u, 700'000u, 5u}) {
    const std::string chunk(count, static_cast<char>('a' + expected.size() % 26));
    expected += chunk;
    ASSERT_TRUE(file.write(chunk).ok());
  }
  ASSERT_TRUE(file.commit().ok());
  EXPECT_TRUE(read_file(folder / "x").value() == expected);
}

TEST(AtomicFile, TwoWritersOfOneNameDoNotDisturbEachOther) {
  testing::TemporaryFolder folder;
  AtomicFile first = AtomicFile::create(folder / "x").value();
  AtomicFile second = AtomicFile::create(folder / "x").value();
  ASSERT_TRUE(first.write("first").ok());
  ASSERT_TRUE(second.write("second").ok());
  ASSERT_TRUE(first.commit().ok());
  ASSERT_TRUE(second.commit().ok());
  EXPECT_EQ(read_file(folder / "x").value(), "second");
}

TEST(AtomicFile, AMovedFileIsCommittedOnce) {
  testing::TemporaryFolder folder;
  AtomicFile file = AtomicFile::create(folder / "x").value();
  ASSERT_TRUE(file.write("a").ok());
  AtomicFile moved = std::move(file);
  ASSERT_TRUE(moved.write("b").ok());
  ASSERT_TRUE(moved.commit().ok());
  EXPECT_EQ(read_file(folder / "x").value(), "ab");
}

TEST(AtomicFile, AMissingFolderOrAFolderAsTargetIsAnErrorLine) {
  testing::TemporaryFolder folder;
  const Status missing = AtomicFile::create(folder / "none/x").status();
  EXPECT_EQ(missing.code(), StatusCode::kIo);
  EXPECT_NE(missing.message().find("none/x"), std::string::npos);
  EXPECT_EQ(AtomicFile::create(folder.path()).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace atelier::io
