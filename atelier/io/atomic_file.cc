#include "atelier/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/io/file.h"

namespace atelier::io {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

// Beside the target, so that the rename stays within one file system; unique for two writers of one name.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  const std::string suffix = "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".partial";
  return join_path(folder_of(path), "." + name_of(path) + suffix);
}

Status refused(const std::string& path, const char* action) {
  const int error = errno;
  return Status::io(path + ": cannot " + action + ": " + std::strerror(error));
}

// A rename is on disk once its folder is.
Status sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return refused(path, "open the folder");
  const bool ok = ::fsync(descriptor) == 0 || errno == EINVAL;  // some file systems cannot sync folders
  Status status = ok ? Status::ok_status() : refused(path, "sync the folder");
  ::close(descriptor);
  return status;
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  if (name_of(path).empty() || is_directory(path)) return Status::invalid(path + ": is a folder, want a file name to write to");
  const std::string temporary_path = temporary_name(path);
  const int descriptor = ::open(temporary_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return refused(path, "write in its folder");
  return AtomicFile(path, temporary_path, descriptor);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_path_(std::move(other.temporary_path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      position_(other.position_),
      buffer_(std::move(other.buffer_)),
      error_(std::move(other.error_)) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  path_ = std::move(other.path_);
  temporary_path_ = std::move(other.temporary_path_);
  descriptor_ = std::exchange(other.descriptor_, -1);
  position_ = other.position_;
  buffer_ = std::move(other.buffer_);
  error_ = std::move(other.error_);
  return *this;
}

AtomicFile::~AtomicFile() { abandon(); }

Status AtomicFile::write(const void* data, size_t count) {
  if (!error_.ok()) return error_;
  ATELIER_CHECK(descriptor_ >= 0);
  const char* bytes = static_cast<const char*>(data);
  position_ += static_cast<int64_t>(count);
  if (buffer_.size() + count > kBufferBytes) ATELIER_RETURN_IF_ERROR(flush());
  if (count > kBufferBytes) return write_through(bytes, count);
  buffer_.insert(buffer_.end(), bytes, bytes + count);
  return Status::ok_status();
}

Status AtomicFile::flush() {
  ATELIER_RETURN_IF_ERROR(write_through(buffer_.data(), buffer_.size()));
  buffer_.clear();
  return Status::ok_status();
}

Status AtomicFile::write_through(const char* data, size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, data, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("write");
    data += written;
    count -= static_cast<size_t>(written);
  }
  return Status::ok_status();
}

Status AtomicFile::commit() {
  if (!error_.ok()) return error_;
  ATELIER_CHECK(descriptor_ >= 0);
  ATELIER_RETURN_IF_ERROR(flush());
  if (::fsync(descriptor_) != 0) return fail("sync");
  if (::close(std::exchange(descriptor_, -1)) != 0) return fail("close");
  if (std::rename(temporary_path_.c_str(), path_.c_str()) != 0) return fail("rename onto");
  temporary_path_.clear();
  return sync_folder(folder_of(path_));
}

Status AtomicFile::fail(const char* action) {
  error_ = refused(path_, action);
  abandon();
  return error_;
}

void AtomicFile::abandon() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
  temporary_path_.clear();
}

Status write_file(const std::string& path, std::string_view text) {
  ATELIER_TRY(AtomicFile file, AtomicFile::create(path));
  ATELIER_RETURN_IF_ERROR(file.write(text));
  return file.commit();
}

}  // namespace atelier::io
