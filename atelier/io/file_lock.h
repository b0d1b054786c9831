// A lock that one process at a time holds, however it ends: flock on a file that stays behind, empty.
#pragma once

#include <string>

#include "atelier/base/status.h"

namespace atelier::io {

class FileLock {
 public:
  // Creates `path` where it is missing. Io "... is in use by another process" at once when the lock is held.
  static Result<FileLock> acquire(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace atelier::io
