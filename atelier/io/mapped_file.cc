#include "atelier/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace atelier::io {
namespace {

Status refused(const std::string& path, const char* action) {
  const int error = errno;
  const std::string message = path + ": cannot " + action + ": " + std::strerror(error);
  return error == ENOENT || error == ENOTDIR ? Status::not_found(message) : Status::io(message);
}

// Closes when a function is left; the mapping outlives the descriptor.
struct Descriptor {
  int value;
  ~Descriptor() { ::close(value); }
};

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // not blocking: a pipe must not hang us
  if (opened < 0) return refused(path, "open");
  const Descriptor descriptor{opened};
  struct stat info;
  if (::fstat(descriptor.value, &info) != 0) return refused(path, "stat");
  if (S_ISDIR(info.st_mode)) return Status::invalid(path + ": is a folder, want a file");
  if (!S_ISREG(info.st_mode)) return Status::invalid(path + ": is no regular file, so it cannot be mapped");
  const size_t size = static_cast<size_t>(info.st_size);
  const uint8_t* data = nullptr;
  if (size > 0) {
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.value, 0);
    if (mapped == MAP_FAILED) return refused(path, "map");
    data = static_cast<const uint8_t*>(mapped);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(path, data, size));
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedFile::prefetch(size_t offset, size_t count) const { advise(offset, count, MADV_WILLNEED); }
void MappedFile::drop(size_t offset, size_t count) const { advise(offset, count, MADV_DONTNEED); }

void MappedFile::advise(size_t offset, size_t count, int advice) const {
  if (offset >= size_ || count == 0) return;
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t end = offset + std::min(count, size_ - offset);
  const size_t begin = offset / page * page;
  ::madvise(const_cast<uint8_t*>(data_) + begin, end - begin, advice);  // advice only: a refusal changes nothing
}

}  // namespace atelier::io
