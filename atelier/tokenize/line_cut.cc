#include "atelier/tokenize/line_cut.h"

namespace atelier::tokenize {
namespace {

bool is_printable(char c) { return c > ' ' && c <= '~'; }
bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// The first line cut from `from` on, or text.size().
size_t find_line_cut(std::string_view text, size_t from) {
  for (size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at > 0 && at + 1 < text.size() && is_printable(text[at - 1]) && is_letter_or_digit(text[at + 1])) return at + 1;
  }
  return text.size();
}

}  // namespace

std::vector<std::string_view> cut_between_lines(std::string_view text, size_t part_bytes) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = find_line_cut(text, begin + part_bytes);
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

}  // namespace atelier::tokenize
