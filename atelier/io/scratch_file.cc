#include "atelier/io/scratch_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "atelier/io/file.h"

namespace atelier::io {

Result<ScratchFile> ScratchFile::create(const std::string& folder) {
  std::string path = join_path(folder, ".atelier-scratch-XXXXXX");
  const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  ScratchFile file(folder, descriptor);
  if (descriptor < 0) return file.failed("make a temporary file");
  ::unlink(path.c_str());
  return file;
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : folder_(std::move(other.folder_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

ScratchFile::~ScratchFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status ScratchFile::failed(const char* action) const {
  return Status::io(folder_ + ": cannot " + action + ": " + std::strerror(errno) + "; check the folder and the space left");
}

Status ScratchFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write a temporary file");
    bytes.remove_prefix(static_cast<size_t>(count));
    size_ += count;
  }
  return {};
}

Result<std::string> ScratchFile::read(int64_t offset, size_t count) const {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(descriptor_, bytes.data() + done, count - done, static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read a temporary file");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace atelier::io
