// A file of lines that grows and can be gone on with after a kill: results, logs.
//
// Each append is one write of a whole line that reaches the operating system before the call returns, so a killed process leaves whole
// lines and at most one torn one at the end, which opening the file again removes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::io {

class LineFile {
 public:
  // Opens or creates `path` for appending and hands its whole lines to `lines`, without line breaks. What stands behind the last line
  // break is cut off.
  static Result<LineFile> open(const std::string& path, std::vector<std::string>& lines);

  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&& other) noexcept;
  ~LineFile();

  Status append(std::string_view line);  // without its line break

 private:
  LineFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace atelier::io
