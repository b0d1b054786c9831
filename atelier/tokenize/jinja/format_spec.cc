#include "atelier/tokenize/jinja/format_spec.h"

#include <fmt/format.h>

#include <cmath>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/text_algorithms.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

constexpr int kMaxPrecision = 1000;

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

[[noreturn]] void fail_type(char type, const Value& value) {
  throw TemplateError(std::string("Unknown format code '") + type + "' for object of type '" + value.type_name() + "'");
}

// Separators between groups of `size` digits, counted from the right.
std::string grouped(const std::string& digits, char separator, size_t size) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % size == 0) out += separator;
    out += digits[i];
  }
  return out;
}

std::string sign_text(bool is_negative, char sign) { return is_negative ? "-" : sign == '-' ? "" : std::string(1, sign); }

// A number as sign or prefix, and digits: zeros of '=' alignment go between them.
struct NumberText {
  std::string sign;
  std::string digits;
};

NumberText integer_text(const Value& value, const FormatSpec& spec) {
  int64_t i = value.as_int();
  uint64_t magnitude = i < 0 ? ~static_cast<uint64_t>(i) + 1 : static_cast<uint64_t>(i);
  std::string sign = sign_text(i < 0, spec.sign);
  switch (spec.type) {
    case 0:
    case 'd':
    case 'n': {
      std::string digits = std::to_string(magnitude);
      return {sign, spec.grouping ? grouped(digits, spec.grouping, 3) : digits};
    }
    case 'b':
      return {sign + (spec.is_alternate ? "0b" : ""), fmt::format("{:b}", magnitude)};
    case 'o':
      return {sign + (spec.is_alternate ? "0o" : ""), fmt::format("{:o}", magnitude)};
    case 'x':
      return {sign + (spec.is_alternate ? "0x" : ""), fmt::format("{:x}", magnitude)};
    case 'X':
      return {sign + (spec.is_alternate ? "0X" : ""), fmt::format("{:X}", magnitude)};
    default:
      fail_type(spec.type, value);
  }
}

// The digits of |d|.
std::string real_digits(double d, const FormatSpec& spec, const Value& value) {
  int precision = spec.precision.value_or(6);
  if (std::isinf(d)) return spec.type == 'F' || spec.type == 'E' || spec.type == 'G' ? "INF" : "inf";
  if (std::isnan(d)) return spec.type == 'F' || spec.type == 'E' || spec.type == 'G' ? "NAN" : "nan";
  switch (spec.type) {
    case 'f':
    case 'F':
      return fmt::format("{:.{}f}", d, precision);
    case 'e':
      return fmt::format("{:.{}e}", d, precision);
    case 'E':
      return fmt::format("{:.{}E}", d, precision);
    case 'g':
    case 'n':
      return spec.is_alternate ? fmt::format("{:#.{}g}", d, precision) : fmt::format("{:.{}g}", d, precision);
    case 'G':
      return fmt::format("{:.{}G}", d, precision);
    case '%':
      return fmt::format("{:.{}f}%", d * 100, precision);
    case 0: {
      if (!spec.precision) return float_repr(d);
      std::string text = fmt::format("{:.{}g}", d, precision);
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    default:
      fail_type(spec.type, value);
  }
}

NumberText real_text(const Value& value, const FormatSpec& spec) {
  double d = value.as_double();
  std::string digits = real_digits(std::abs(d), spec, value);
  if (spec.grouping) {
    size_t whole = digits.find_first_not_of("0123456789");
    if (whole == std::string::npos) whole = digits.size();
    digits = grouped(digits.substr(0, whole), spec.grouping, 3) + digits.substr(whole);
  }
  return {sign_text(std::signbit(d), spec.sign), digits};
}

void append_padded(Runtime& runtime, TextBuilder& out, const Text& text, const FormatSpec& spec, char align) {
  int64_t missing = spec.width - static_cast<int64_t>(text.length());
  if (missing <= 0) return out.append(text);
  int64_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  out.append(pad(runtime, text, left, missing - left, Text(spec.fill, kTemplate)).text());
}

void append_number(Runtime& runtime, TextBuilder& out, const NumberText& number, const FormatSpec& spec, Origin origin) {
  if (spec.align == '=') {
    FormatSpec rest = spec;
    rest.width -= static_cast<int64_t>(number.sign.size());
    out.append(number.sign, origin);
    return append_padded(runtime, out, Text(number.digits, origin), rest, '>');
  }
  append_padded(runtime, out, Text(number.sign + number.digits, origin), spec, spec.align ? spec.align : '>');
}

void append_character(Runtime& runtime, TextBuilder& out, const Value& value, const FormatSpec& spec) {
  int64_t c = value.as_int();
  if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) throw TemplateError("%c arg not in range(0x110000)");
  std::string bytes;
  text::append_utf8(bytes, static_cast<char32_t>(c));
  append_padded(runtime, out, Text(bytes, value.origin()), spec, spec.align ? spec.align : '>');
}

void append_text(Runtime& runtime, TextBuilder& out, const Text& text, const FormatSpec& spec) {
  if (spec.align == '=') throw TemplateError("'=' alignment not allowed in string format specifier");
  TextBuilder cut(runtime.budget);
  cut.append(text, 0, spec.precision ? text.byte_of(*spec.precision) : text.size());
  append_padded(runtime, out, cut.finish(), spec, spec.align ? spec.align : '<');
}

bool is_real_type(char type) { return type != 0 && std::string_view("eEfFgG%").find(type) != std::string_view::npos; }

}  // namespace

std::optional<int64_t> parse_digits(std::string_view text, size_t& at) {
  if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
  int64_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + (text[at] - '0');
    if (number > static_cast<int64_t>(kMaxText)) throw TemplateError("a format asks for more than 16 MiB", StatusCode::kOutOfRange);
  }
  return number;
}

FormatSpec parse_format_spec(std::string_view text) {
  FormatSpec spec;
  size_t at = 0;
  size_t first_end = skip_code_points(text, 0, 1);
  if (first_end < text.size() && is_align(text[first_end])) {
    spec.fill = std::string(text.substr(0, first_end));
    spec.align = text[first_end];
    at = first_end + 1;
  } else if (!text.empty() && is_align(text[0])) {
    spec.align = text[at++];
  }
  auto next_is = [&](std::string_view set) { return at < text.size() && set.find(text[at]) != std::string_view::npos; };
  if (next_is("+- ")) spec.sign = text[at++];
  if (next_is("#")) spec.is_alternate = text[at++] == '#';
  if (next_is("0")) {
    ++at;
    if (!spec.align) {
      spec.align = '=';
      spec.fill = "0";
    }
  }
  spec.width = parse_digits(text, at).value_or(0);
  if (next_is(",_")) spec.grouping = text[at++];
  if (next_is(".")) {
    ++at;
    auto precision = parse_digits(text, at);
    if (!precision) throw TemplateError("Format specifier missing precision");
    spec.precision = static_cast<int>(*precision);
  }
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size()) throw TemplateError("Invalid format specifier");
  return spec;
}

void append_formatted(Runtime& runtime, TextBuilder& out, const Value& value, const FormatSpec& spec) {
  bool is_text = value.is_string() || (value.is_bool() && spec.type == 0);
  if (is_text) {
    if (spec.type != 0 && spec.type != 's') fail_type(spec.type, value);
    return append_text(runtime, out, to_str(runtime, value).text(), spec);
  }
  if (!value.is_number()) {
    throw TemplateError("unsupported format string passed to " + value.type_name() + ".__format__");
  }
  if (spec.precision.value_or(0) > kMaxPrecision) throw TemplateError("precision is over 1000", StatusCode::kOutOfRange);
  if (value.is_integral() && spec.type == 'c') return append_character(runtime, out, value, spec);
  bool is_real = value.is_float() || is_real_type(spec.type);
  append_number(runtime, out, is_real ? real_text(value, spec) : integer_text(value, spec), spec, value.origin());
}

}  // namespace atelier::tokenize::jinja
