#include "atelier/io/line_stream.h"

#if ATELIER_HAS_ZLIB
#include <zlib.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace atelier::io {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;

#if ATELIER_HAS_ZLIB
// zlib hands through what is not packed.
using Handle = gzFile;
Handle open_file(const char* path) { return gzopen(path, "rb"); }
void close_file(Handle file) { gzclose(file); }
int64_t position_of(Handle file) { return gzoffset(file); }

Result<size_t> read_some(Handle file, std::vector<char>& buffer, const std::string& path) {
  const int count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return static_cast<size_t>(count);
  if (code == Z_ERRNO) return Status::io(path + ": cannot be read: " + std::strerror(errno) + "; check the path");
  return Status::corrupt(path + ": broken gzip data (" + message + "); download it again");
}
#else
using Handle = FILE*;
Handle open_file(const char* path) { return std::fopen(path, "rb"); }
void close_file(Handle file) { std::fclose(file); }
int64_t position_of(Handle file) { return std::ftell(file); }

Result<size_t> read_some(Handle file, std::vector<char>& buffer, const std::string& path) {
  const bool is_start = std::ftell(file) == 0;
  const size_t count = std::fread(buffer.data(), 1, buffer.size(), file);
  if (std::ferror(file)) return Status::io(path + ": cannot be read: " + std::strerror(errno) + "; check the path");
  if (is_start && count >= 2 && buffer[0] == '\x1f' && buffer[1] == '\x8b') {
    return Status::unsupported(path + ": is packed by gzip, and this build has no zlib; unpack it with gunzip");
  }
  return count;
}
#endif

}  // namespace

class LineStream::Source {
 public:
  Source(std::string path, Handle file) : path_(std::move(path)), file_(file), buffer_(kBufferBytes) {}
  ~Source() { close_file(file_); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  Result<bool> append_line(std::string& out) {
    bool has_any = false;
    while (true) {
      if (begin_ == end_) {
        ATELIER_TRY(end_, read_some(file_, buffer_, path_));
        begin_ = 0;
        if (end_ == 0) return has_any;
      }
      has_any = true;
      const char* from = buffer_.data() + begin_;
      const void* line_end = std::memchr(from, '\n', end_ - begin_);
      const size_t count = line_end == nullptr ? end_ - begin_ : static_cast<size_t>(static_cast<const char*>(line_end) - from) + 1;
      out.append(from, count);
      begin_ += count;
      if (line_end != nullptr) return true;
    }
  }

  int64_t position() const { return position_of(file_); }

 private:
  std::string path_;
  Handle file_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // what is left of the buffer
};

LineStream::LineStream(std::unique_ptr<Source> source) : source_(std::move(source)) {}
LineStream::LineStream(LineStream&&) noexcept = default;
LineStream& LineStream::operator=(LineStream&&) noexcept = default;
LineStream::~LineStream() = default;

Result<LineStream> LineStream::open(const std::string& path) {
  const Handle file = open_file(path.c_str());
  if (file == nullptr) return Status::io(path + ": cannot be opened: " + std::strerror(errno) + "; check the path");
  return LineStream(std::make_unique<Source>(path, file));
}

Result<bool> LineStream::append_line(std::string& out) { return source_->append_line(out); }

int64_t LineStream::position() const { return source_->position(); }

}  // namespace atelier::io
