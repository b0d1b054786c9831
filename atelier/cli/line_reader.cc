#include "atelier/cli/line_reader.h"

#include <cstdio>
#include <cstdlib>
#include <istream>
#include <memory>

#include "atelier/cli/interrupt.h"

namespace atelier::cli {

LineRead read_line(Console& console, std::string& line) {
  if (!console.is_in_terminal) return std::getline(console.in, line) ? LineRead::kLine : LineRead::kEnd;
  // std::getline goes on reading after a signal; the C library's returns.
  char* text = nullptr;
  size_t capacity = 0;
  const ssize_t length = ::getline(&text, &capacity, stdin);
  const std::unique_ptr<char, decltype(&std::free)> owner(text, std::free);
  if (length < 0) {
    std::clearerr(stdin);
    return is_interrupted() ? LineRead::kInterrupted : LineRead::kEnd;
  }
  line.assign(text, static_cast<size_t>(length));
  if (line.ends_with('\n')) line.pop_back();
  return LineRead::kLine;
}

}  // namespace atelier::cli
