#include "atelier/tokenize/jinja/string_literal.h"

#include <charconv>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/jinja/error.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

class Unescaper {
 public:
  Unescaper(std::string_view body, int line) : s_(body), line_(line) {}

  std::string run() {
    while (at_ < s_.size()) {
      size_t slash = std::min(s_.find('\\', at_), s_.size());
      out_.append(s_.substr(at_, slash - at_));
      at_ = slash;
      if (at_ < s_.size()) escape();
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw TemplateError(what, StatusCode::kInvalidArgument, line_); }

  void escape() {
    ++at_;  // the backslash
    if (at_ == s_.size()) fail("\\ at end of string");
    char c = s_[at_++];
    switch (c) {
      case '\n':
        return;
      case 'a':
        out_ += '\a';
        return;
      case 'b':
        out_ += '\b';
        return;
      case 'f':
        out_ += '\f';
        return;
      case 'n':
        out_ += '\n';
        return;
      case 'r':
        out_ += '\r';
        return;
      case 't':
        out_ += '\t';
        return;
      case 'v':
        out_ += '\v';
        return;
      case 'x':
        return hexadecimal(2);
      case 'u':
        return hexadecimal(4);
      case 'U':
        return hexadecimal(8);
      case 'N':
        return named();
      case '\\':
      case '\'':
      case '"':
        out_ += c;
        return;
      default:
        break;
    }
    if (c >= '0' && c <= '7') return octal(c);
    out_ += '\\';  // unknown escapes stand for themselves
    --at_;
    size_t end = skip_code_points(s_, at_, 1);
    out_.append(s_.substr(at_, end - at_));
    at_ = end;
  }

  void add(uint32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) fail("an escape names no character");
    text::append_utf8(out_, c);
  }

  void hexadecimal(size_t num_digits) {
    uint32_t c = 0;
    std::string_view digits = s_.substr(at_, num_digits);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), c, 16);
    if (error != std::errc() || end != digits.data() + num_digits) fail("truncated escape in a string");
    at_ += num_digits;
    add(c);
  }

  void octal(char first) {
    uint32_t c = first - '0';
    for (int i = 0; i < 2 && at_ < s_.size() && s_[at_] >= '0' && s_[at_] <= '7'; ++i) c = c * 8 + (s_[at_++] - '0');
    add(c);
  }

  void named() {
    size_t close = s_.find('}', at_);
    if (at_ >= s_.size() || s_[at_] != '{' || close == std::string_view::npos) fail("malformed \\N character escape");
    char32_t c = code_point_named(std::string(s_.substr(at_ + 1, close - at_ - 1)));
    if (c == 0xFFFF) fail("unknown Unicode character name");
    at_ = close + 1;
    add(c);
  }

  std::string_view s_;
  int line_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string unescape_string(std::string_view body, int line) { return Unescaper(body, line).run(); }

}  // namespace atelier::tokenize::jinja
