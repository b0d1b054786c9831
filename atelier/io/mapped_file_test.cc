#include "atelier/io/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "atelier/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

TEST(MappedFile, ShowsTheBytesAndOutlivesTheName) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "x", "old bytes").ok());
  const auto file = MappedFile::open(folder / "x").value();
  EXPECT_EQ(file->text(), "old bytes");
  ASSERT_TRUE(write_file(folder / "x", "new").ok());
  EXPECT_EQ(file->text(), "old bytes") << "replacing a file by rename leaves mappings of the old one alone";
}

TEST(MappedFile, AnEmptyFileIsAnEmptySpan) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "x", "").ok());
  const auto file = MappedFile::open(folder / "x").value();
  EXPECT_EQ(file->size(), 0u);
  EXPECT_TRUE(file->bytes().empty());
  file->prefetch(0, 100);
}

TEST(MappedFile, AdviceOutsideTheFileIsIgnoredAndDroppedPagesComeBack) {
  testing::TemporaryFolder folder;
  const std::string text(100'000, 'x');
  ASSERT_TRUE(write_file(folder / "x", text).ok());
  const auto file = MappedFile::open(folder / "x").value();
  file->prefetch(99'000, SIZE_MAX);
  file->prefetch(SIZE_MAX, SIZE_MAX);
  file->drop(0, text.size());
  EXPECT_TRUE(file->text() == text);
}

TEST(MappedFile, FoldersPipesAndMissingFilesAreRefused) {
  testing::TemporaryFolder folder;
  EXPECT_EQ(MappedFile::open(folder.path()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::open(folder / "none").status().code(), StatusCode::kNotFound);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::open(folder / "pipe").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace atelier::io
