#include "atelier/io/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "atelier/io/file.h"

namespace atelier::io {
namespace {

Status failed(const std::string& path, const char* action) {
  return Status::io(path + ": cannot " + action + ": " + std::strerror(errno) + "; check the folder and the space left");
}

}  // namespace

Result<LineFile> LineFile::open(const std::string& path, std::vector<std::string>& lines) {
  lines.clear();
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return failed(path, "open for writing");
  LineFile file(path, descriptor);
  ATELIER_TRY(std::string text, read_file(path));
  const size_t whole = text.rfind('\n') + 1;  // 0 when there is no line break
  if (whole < text.size() && ::ftruncate(descriptor, static_cast<off_t>(whole)) != 0) return failed(path, "cut off a torn line");
  text.resize(whole);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return file;
}

LineFile::LineFile(LineFile&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

LineFile& LineFile::operator=(LineFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LineFile::~LineFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status LineFile::append(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path_, "write");
    done += static_cast<size_t>(count);
  }
  return {};
}

}  // namespace atelier::io
