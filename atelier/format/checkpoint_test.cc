#include "atelier/format/checkpoint.h"

#include <gtest/gtest.h>

#include "atelier/format/gguf.h"
#include "atelier/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::format {
namespace {

const std::string kGoldens = ATELIER_SOURCE_DIR "/tests/golden/format/";

TEST(OpenCheckpoint, GoesByContent) {
  const auto gguf = open_checkpoint(kGoldens + "single.gguf").value();
  EXPECT_EQ(gguf->format(), "GGUF v3");
  EXPECT_EQ(gguf->as_gguf(), gguf.get());
  const auto safetensors = open_checkpoint(kGoldens + "sharded").value();
  EXPECT_EQ(safetensors->format(), "safetensors");
  EXPECT_EQ(safetensors->as_gguf(), nullptr);
  EXPECT_EQ(open_checkpoint(kGoldens + "single.safetensors").value()->entries().size(), 9u);
}

TEST(OpenCheckpoint, PickleIsRefusedWithTheWayOut) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(io::write_file(folder / "pytorch_model.bin", std::string("PK\x03\x04zip")).ok());
  ASSERT_TRUE(io::write_file(folder / "renamed", std::string("\x80\x02}q")).ok());
  for (const std::string& path : {folder.path(), folder / "pytorch_model.bin", folder / "renamed"}) {
    const Status status = open_checkpoint(path).status();
    EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.message();
    EXPECT_NE(status.message().find("safetensors.torch"), std::string::npos) << status.message();
  }
}

TEST(OpenCheckpoint, AHeaderWhoseLengthReadsAsAPickleIsRead) {
  testing::TemporaryFolder folder;
  std::string json = R"({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})";
  json.resize(0x280, ' ');
  ASSERT_TRUE(io::write_file(folder / "x.safetensors", std::string("\x80\x02\0\0\0\0\0\0", 8) + json + std::string(4, '\0')).ok());
  const auto file = open_checkpoint(folder / "x.safetensors");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_NE((*file)->find("x"), nullptr);
}

TEST(OpenCheckpoint, WhatIsMissingIsNamed) {
  testing::TemporaryFolder folder;
  EXPECT_EQ(open_checkpoint(folder / "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(open_checkpoint(folder.path()).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(io::write_file(folder / "x.gguf", "<!doctype html>").ok());
  EXPECT_NE(open_checkpoint(folder / "x.gguf").status().message().find("does not start with \"GGUF\""), std::string::npos);
  EXPECT_NE(open_checkpoint(folder.path()).status().message().find("name the GGUF file itself"), std::string::npos);
}

TEST(Checkpoint, GetNamesTheNearestTensor) {
  const auto file = open_checkpoint(kGoldens + "single.gguf").value();
  EXPECT_EQ(file->get("f32").value(), file->find("f32"));
  EXPECT_NE(file->get("f33").status().message().find("nearest name is \"f32\""), std::string::npos);
  EXPECT_EQ(file->total_bytes(), 24 + 48 + 20 + 136 + 16);
}

}  // namespace
}  // namespace atelier::format
