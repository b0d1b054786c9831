// A file mapped read-only into memory.
//
// Pages come from the page cache when they are first touched, are shared between processes and cost no heap. Held by shared_ptr, so
// that a tensor can keep the file under it alive. Given up: a file that another program truncates while it is mapped kills the
// reader (SIGBUS); writers of ours never do that, they write beside and rename (io/atomic_file.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "atelier/base/status.h"

namespace atelier::io {

class MappedFile {
 public:
  // Maps the whole file. Directories, pipes and devices are refused; an empty file gives an empty span.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // Advice to the kernel on bytes [offset, offset + count), cut to the file: read them ahead, or forget this process's copy of the
  // pages (they are read again when touched).
  void prefetch(size_t offset, size_t count) const;
  void drop(size_t offset, size_t count) const;

 private:
  MappedFile(std::string path, const uint8_t* data, size_t size) : path_(std::move(path)), data_(data), size_(size) {}
  void advise(size_t offset, size_t count, int advice) const;

  std::string path_;
  const uint8_t* data_;  // page-aligned; null when size_ is 0
  size_t size_;
};

}  // namespace atelier::io
