// A file for what does not fit into memory: it has no name and is gone when it is closed, however the process ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "atelier/base/status.h"

namespace atelier::io {

class ScratchFile {
 public:
  // On the disk of `folder`, which must exist.
  static Result<ScratchFile> create(const std::string& folder);

  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&& other) noexcept;
  ~ScratchFile();

  Status append(std::string_view bytes);
  int64_t size() const { return size_; }

  // Up to `count` bytes from `offset` on; fewer only at the end.
  Result<std::string> read(int64_t offset, size_t count) const;

 private:
  ScratchFile(std::string folder, int descriptor) : folder_(std::move(folder)), descriptor_(descriptor) {}
  Status failed(const char* action) const;

  std::string folder_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

}  // namespace atelier::io
