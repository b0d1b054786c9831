// The lines of a file, read once from front to back. A file that gzip packed is unpacked on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "atelier/base/status.h"

namespace atelier::io {

class LineStream {
 public:
  static Result<LineStream> open(const std::string& path);

  LineStream(LineStream&&) noexcept;
  LineStream& operator=(LineStream&&) noexcept;
  ~LineStream();

  // Appends the next line to `out`, with its line break where it has one. False when nothing was left.
  Result<bool> append_line(std::string& out);

  int64_t position() const;  // bytes of the file that were read, packed as they are

 private:
  class Source;
  explicit LineStream(std::unique_ptr<Source> source);
  std::unique_ptr<Source> source_;
};

}  // namespace atelier::io
