// A file that appears under its name only when it is whole.
//
// Bytes go to a temporary file beside the target; `commit` flushes them to disk (fsync) and renames. Destroyed without a commit, the
// temporary file is removed and whatever stood under the name stays.
//
//   ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create("model.gguf"));
//   ATELIER_RETURN_IF_ERROR(file.write(bytes.data(), bytes.size()));
//   return file.commit();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::io {

class AtomicFile {
 public:
  // Opens a temporary file in the folder of `path`, which must exist.
  static Result<AtomicFile> create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  // Appends; buffered, so that small writes are cheap. After an error every further call gives that error.
  Status write(const void* data, size_t count);
  Status write(std::string_view text) { return write(text.data(), text.size()); }

  int64_t position() const { return position_; }  // bytes written so far
  const std::string& path() const { return path_; }

  // Flushes, fsyncs, renames onto path() and fsyncs the folder. Nothing may be written afterwards.
  Status commit();

 private:
  AtomicFile(std::string path, std::string temporary_path, int descriptor)
      : path_(std::move(path)), temporary_path_(std::move(temporary_path)), descriptor_(descriptor) {}
  Status write_through(const char* data, size_t count);
  Status flush();
  Status fail(const char* action);
  void abandon();

  std::string path_, temporary_path_;
  int descriptor_ = -1;  // -1 once committed, moved from or failed
  int64_t position_ = 0;
  std::vector<char> buffer_;
  Status error_;
};

// Writes `text` as the whole of `path`, atomically.
Status write_file(const std::string& path, std::string_view text);

}  // namespace atelier::io
