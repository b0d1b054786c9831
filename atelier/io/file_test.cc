#include "atelier/io/file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

void put(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

TEST(File, ReadsAllBytes) {
  testing::TemporaryFolder folder;
  const std::string text("a\0b\r\nc", 6);
  put(folder / "x", text);
  EXPECT_EQ(read_file(folder / "x").value(), text);
  EXPECT_EQ(file_size(folder / "x").value(), 6);
}

TEST(File, AFileAtTheLimitIsReadAndOneByteMoreIsRefused) {
  testing::TemporaryFolder folder;
  put(folder / "x", "12345");
  EXPECT_EQ(read_file(folder / "x", 5).value(), "12345");
  const Status refused = read_file(folder / "x", 4).status();
  EXPECT_EQ(refused.code(), StatusCode::kOutOfRange);
  EXPECT_NE(refused.message().find("5 B long, limit 4 B"), std::string::npos) << refused.message();
}

TEST(File, MissingFilesAndFoldersAreToldApart) {
  testing::TemporaryFolder folder;
  EXPECT_EQ(read_file(folder / "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(read_file(folder.path()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(list_directory(folder / "none").status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(is_file(folder.path()));
  EXPECT_TRUE(is_directory(folder.path()));
}

TEST(File, DirectoryListingIsSorted) {
  testing::TemporaryFolder folder;
  for (const char* name : {"b", "a", "c.txt"}) put(folder / name, "");
  ASSERT_TRUE(make_directories(folder / "d/e").ok());
  EXPECT_EQ(list_directory(folder.path()).value(), (std::vector<std::string>{"a", "b", "c.txt", "d"}));
  EXPECT_TRUE(make_directories(folder / "d/e").ok()) << "making a folder that exists is fine";
}

TEST(File, PathsSplitAndJoin) {
  EXPECT_EQ(join_path("a/b", "c"), "a/b/c");
  EXPECT_EQ(join_path("a/b/", "c"), "a/b/c");
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("c"), ".");
  EXPECT_EQ(name_of("a/b/c"), "c");
}

}  // namespace
}  // namespace atelier::io
