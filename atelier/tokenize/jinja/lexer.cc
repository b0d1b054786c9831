#include "atelier/tokenize/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "atelier/base/strings.h"
#include "atelier/tokenize/jinja/error.h"
#include "atelier/tokenize/jinja/string_literal.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

// "\r\n" and "\r" become "\n", and the last newline goes.
std::string with_plain_newlines(const std::string& source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      out += '\n';
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool is_digit_char(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(const std::string& source) : source_(with_plain_newlines(source)), s_(source_) {}

  std::vector<Token> run();

 private:
  enum class Tag { kVariable, kBlock, kComment };

  [[noreturn]] void fail(const std::string& what) const { throw TemplateError(what, StatusCode::kInvalidArgument, line_); }
  bool looks_at(std::string_view what, size_t ahead = 0) const { return s_.substr(std::min(at_ + ahead, s_.size())).starts_with(what); }
  char peek(size_t ahead = 0) const { return at_ + ahead < s_.size() ? s_[at_ + ahead] : '\0'; }
  void advance_to(size_t position);
  void skip_spaces();
  size_t end_of_spaces(size_t from) const;
  void add(Token::Type type, std::string text = {}) { tokens_.push_back({type, line_, std::move(text)}); }

  // Template text up to `end`, where a tag with this sign begins.
  void data(size_t end, char sign, bool strips_indent);
  char take_sign();
  void comment();
  bool raw_block();
  void tag(Tag kind);
  bool tag_end(Tag kind);
  void token_in_tag();
  bool number();
  size_t digits_end(size_t from) const;
  void name();
  void string();
  void symbol();

  const std::string source_;
  std::string_view s_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
  std::vector<char> open_brackets_;
};

void Lexer::advance_to(size_t position) {
  line_ += static_cast<int>(std::count(s_.begin() + at_, s_.begin() + position, '\n'));
  at_ = position;
}

size_t Lexer::end_of_spaces(size_t from) const {
  for (size_t next = from; next < s_.size() && is_space(decode(s_, next));) from = next;
  return from;
}

void Lexer::skip_spaces() { advance_to(end_of_spaces(at_)); }

std::vector<Token> Lexer::run() {
  while (at_ < s_.size()) {
    size_t brace = s_.find('{', at_);
    while (brace != std::string_view::npos &&
           (brace + 1 >= s_.size() || std::string_view("{%#").find(s_[brace + 1]) == std::string_view::npos)) {
      brace = s_.find('{', brace + 1);
    }
    if (brace == std::string_view::npos) {
      add(Token::Type::kData, std::string(s_.substr(at_)));
      advance_to(s_.size());
      break;
    }
    Tag kind = s_[brace + 1] == '{' ? Tag::kVariable : s_[brace + 1] == '%' ? Tag::kBlock : Tag::kComment;
    char sign = brace + 2 < s_.size() ? s_[brace + 2] : '\0';
    data(brace, sign, kind != Tag::kVariable);
    if (kind == Tag::kComment) {
      comment();
    } else if (kind == Tag::kVariable || !raw_block()) {
      tag(kind);
    }
  }
  add(Token::Type::kEnd);
  return std::move(tokens_);
}

void Lexer::data(size_t end, char sign, bool strips_indent) {
  std::string_view text = s_.substr(at_, end - at_);
  if (sign == '-') {
    size_t keep = text.size();
    for (size_t before = keep; before > 0 && is_space(decode_before(text, before));) keep = before;
    text = text.substr(0, keep);
  } else if (sign != '+' && strips_indent) {
    size_t newline = text.rfind('\n');
    size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    bool starts_line = line_begin > 0 || at_ == 0 || s_[at_ - 1] == '\n';
    if (starts_line && end_of_spaces(at_ + line_begin) >= end) text = text.substr(0, line_begin);
  }
  if (!text.empty()) add(Token::Type::kData, std::string(text));
  advance_to(end);
}

char Lexer::take_sign() {
  char sign = peek();
  if (sign != '-' && sign != '+') return '\0';
  ++at_;
  return sign;
}

void Lexer::comment() {
  advance_to(at_ + 2);
  take_sign();
  size_t end = s_.find("#}", at_);
  if (end == std::string_view::npos) fail("Missing end of comment tag");
  char sign = end > at_ ? s_[end - 1] : '\0';
  advance_to(end + 2);
  if (sign == '-') {
    skip_spaces();
  } else if (sign != '+' && peek() == '\n') {
    advance_to(at_ + 1);
  }
}

// "{% raw %} … {% endraw %}", whose inside is data; false when the tag at at_ is another.
bool Lexer::raw_block() {
  size_t p = at_ + 2;
  if (p < s_.size() && (s_[p] == '-' || s_[p] == '+')) ++p;
  p = end_of_spaces(p);
  if (!s_.substr(p).starts_with("raw")) return false;
  p = end_of_spaces(p + 3);
  if (s_.substr(p).starts_with("-%}")) {
    p = end_of_spaces(p + 3);
  } else if (s_.substr(p).starts_with("%}")) {
    p += 2;
  } else {
    return false;
  }
  advance_to(p);
  for (size_t end = s_.find("{%", at_); end != std::string_view::npos; end = s_.find("{%", end + 1)) {
    p = end + 2;
    char sign = p < s_.size() ? s_[p] : '\0';
    if (sign == '-' || sign == '+') ++p;
    p = end_of_spaces(p);
    if (!s_.substr(p).starts_with("endraw")) continue;
    p = end_of_spaces(p + 6);
    std::string_view rest = s_.substr(p);
    if (!rest.starts_with("%}") && !rest.starts_with("-%}") && !rest.starts_with("+%}")) continue;
    data(end, sign, true);
    advance_to(p);
    return tag_end(Tag::kBlock);
  }
  fail("Missing end of raw directive");
}

void Lexer::tag(Tag kind) {
  advance_to(at_ + 2);
  take_sign();
  add(kind == Tag::kVariable ? Token::Type::kVariableBegin : Token::Type::kBlockBegin);
  open_brackets_.clear();
  int line_of_tag = line_;
  while (at_ < s_.size()) {
    if (open_brackets_.empty()) {
      size_t before = at_;
      Token end{kind == Tag::kVariable ? Token::Type::kVariableEnd : Token::Type::kBlockEnd, line_, {}};
      if (tag_end(kind)) {
        tokens_.push_back(std::move(end));
        return;
      }
      at_ = before;
    }
    token_in_tag();
  }
  line_ = line_of_tag;
  fail(kind == Tag::kVariable ? "a {{ is never closed by }}" : "a {% is never closed by %}");
}

// Consumes the end of a tag and the white space that it takes along.
bool Lexer::tag_end(Tag kind) {
  std::string_view closer = kind == Tag::kVariable ? "}}" : "%}";
  if (looks_at("-") && looks_at(closer, 1)) {
    advance_to(at_ + 3);
    skip_spaces();
    return true;
  }
  if (kind == Tag::kBlock && looks_at("+%}")) {
    advance_to(at_ + 3);
    return true;
  }
  if (!looks_at(closer)) return false;
  advance_to(at_ + 2);
  if (kind == Tag::kBlock && peek() == '\n') advance_to(at_ + 1);
  return true;
}

void Lexer::token_in_tag() {
  size_t next = at_;
  char32_t c = decode(s_, next);
  if (is_space(c)) return skip_spaces();
  if (c < 0x80 && is_digit_char(static_cast<char>(c)) && number()) return;
  if (is_word(c)) return name();
  if (c == '\'' || c == '"') return string();
  symbol();
}

// Behind the digits at `from`, single underscores between them allowed; `from` itself when there are none.
size_t Lexer::digits_end(size_t from) const {
  size_t end = from;
  while (end < s_.size() && (is_digit_char(s_[end]) || (s_[end] == '_' && end > from && is_digit_char(s_[end - 1]) && end + 1 < s_.size() &&
                                                        is_digit_char(s_[end + 1])))) {
    ++end;
  }
  return end;
}

bool Lexer::number() {
  size_t end = digits_end(at_);
  size_t fraction_end = end + 1 < s_.size() && s_[end] == '.' ? digits_end(end + 1) : end;
  bool has_fraction = fraction_end > end + 1;
  size_t mantissa_end = has_fraction ? fraction_end : end;
  size_t exponent = mantissa_end;
  if (exponent < s_.size() && (s_[exponent] == 'e' || s_[exponent] == 'E')) {
    ++exponent;
    if (exponent < s_.size() && (s_[exponent] == '+' || s_[exponent] == '-')) ++exponent;
    size_t exponent_end = digits_end(exponent);
    exponent = exponent_end > exponent ? exponent_end : mantissa_end;
  }
  bool after_dot = at_ > 0 && s_[at_ - 1] == '.';
  bool is_float = !after_dot && (has_fraction || exponent > mantissa_end);
  int base = 10;
  if (!is_float && s_[at_] == '0') {
    char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(peek(1))));
    base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
  }
  size_t begin = base == 10 ? at_ : at_ + 2;
  if (base != 10) {
    end = begin;
    while (end < s_.size() && (std::isalnum(static_cast<unsigned char>(s_[end])) || s_[end] == '_')) ++end;
  } else if (is_float) {
    end = exponent;
  } else if (s_[at_] == '0') {  // "012" is 0 and 12
    end = at_ + 1;
    while (end < s_.size() && s_[end] == '0') ++end;
  }
  std::string text(s_.substr(begin, end - begin));
  std::erase(text, '_');
  Token token{is_float ? Token::Type::kFloat : Token::Type::kInteger, line_, text};
  const char* last = text.data() + text.size();
  auto [stop, error] = is_float ? std::from_chars(text.data(), last, token.real) : std::from_chars(text.data(), last, token.integer, base);
  if (error == std::errc::result_out_of_range) fail("the number " + quoted(text) + " is out of range");
  if (error != std::errc() || stop != last) return false;
  tokens_.push_back(std::move(token));
  advance_to(end);
  return true;
}

void Lexer::name() {
  size_t end = at_;
  for (size_t next = end; next < s_.size() && is_word(decode(s_, next));) end = next;
  std::string text(s_.substr(at_, end - at_));
  if (!is_identifier(text)) fail("Invalid character in identifier " + quoted(text));
  add(Token::Type::kName, std::move(text));
  advance_to(end);
}

void Lexer::string() {
  char quote = s_[at_];
  size_t end = at_ + 1;
  while (end < s_.size() && s_[end] != quote) end += s_[end] == '\\' ? 2 : 1;
  if (end >= s_.size()) fail("a string is never closed");
  add(Token::Type::kString, unescape_string(s_.substr(at_ + 1, end - at_ - 1), line_));
  advance_to(end + 1);
}

void Lexer::symbol() {
  static constexpr std::array<std::string_view, 26> kSymbols = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                                                "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
  auto found = std::find_if(kSymbols.begin(), kSymbols.end(), [&](std::string_view symbol) { return looks_at(symbol); });
  if (found == kSymbols.end()) fail("unexpected char " + quoted(s_.substr(at_, skip_code_points(s_, at_, 1) - at_)));
  char c = (*found)[0];
  if (c == '(' || c == '[' || c == '{') open_brackets_.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
  if (c == ')' || c == ']' || c == '}') {
    if (open_brackets_.empty()) fail(std::string("unexpected '") + c + "'");
    if (open_brackets_.back() != c) fail(std::string("unexpected '") + c + "', expected '" + open_brackets_.back() + "'");
    open_brackets_.pop_back();
  }
  add(Token::Type::kOperator, std::string(*found));
  advance_to(at_ + found->size());
}

}  // namespace

std::string Token::describe() const {
  switch (type) {
    case Type::kData:
      return "text";
    case Type::kVariableBegin:
      return "'{{'";
    case Type::kVariableEnd:
      return "'}}'";
    case Type::kBlockBegin:
      return "'{%'";
    case Type::kBlockEnd:
      return "'%}'";
    case Type::kEnd:
      return "the end of the template";
    default:
      return quoted(text);
  }
}

std::vector<Token> tokenize(const std::string& source) { return Lexer(source).run(); }

}  // namespace atelier::tokenize::jinja
