#include "atelier/io/line_stream.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace atelier::io {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;

// zlib hands through what is not packed.
Result<size_t> read_some(gzFile file, std::vector<char>& buffer, const std::string& path) {
  const int count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return static_cast<size_t>(count);
  if (code == Z_ERRNO) return Status::io(path + ": cannot be read: " + std::strerror(errno) + "; check the path");
  return Status::corrupt(path + ": broken gzip data (" + message + "); download it again");
}

}  // namespace

class LineStream::Source {
 public:
  Source(std::string path, gzFile file) : path_(std::move(path)), file_(file), buffer_(kBufferBytes) {}
  ~Source() { gzclose(file_); }
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

  int64_t position() const { return gzoffset(file_); }

 private:
  std::string path_;
  gzFile file_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // what is left of the buffer
};

LineStream::LineStream(std::unique_ptr<Source> source) : source_(std::move(source)) {}
LineStream::LineStream(LineStream&&) noexcept = default;
LineStream& LineStream::operator=(LineStream&&) noexcept = default;
LineStream::~LineStream() = default;

Result<LineStream> LineStream::open(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return Status::io(path + ": cannot be opened: " + std::strerror(errno) + "; check the path");
  return LineStream(std::make_unique<Source>(path, file));
}

Result<bool> LineStream::append_line(std::string& out) { return source_->append_line(out); }

int64_t LineStream::position() const { return source_->position(); }

}  // namespace atelier::io
