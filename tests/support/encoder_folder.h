// A golden encoder of tests/golden/encoders with a WordPiece vocabulary of its size beside it, in a folder that may be written to.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace atelier::testing {

class EncoderFolder {
 public:
  explicit EncoderFolder(const std::string& golden) {
    namespace fs = std::filesystem;
    for (const auto& entry : fs::directory_iterator(fs::path(ATELIER_SOURCE_DIR) / "tests/golden/encoders" / golden)) {
      fs::copy(entry.path(), fs::path(path()) / entry.path().filename());
    }
    std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\nsat\non\nmat\n##s\n.\n,\n";
    for (int i = 0; i < 27; ++i) words += "w" + std::to_string(i) + "\n";
    write("vocab.txt", words);
  }

  const std::string& path() const { return folder_.path(); }
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = std::filesystem::path(path()) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace atelier::testing
