// Filters that make or change numbers: abs, int, float, round, and sums.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "atelier/base/strings.h"
#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/attribute_path.h"
#include "atelier/tokenize/jinja/filters.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/text_algorithms.h"

namespace atelier::tokenize::jinja {

namespace {

constexpr int64_t kMaxDecimals = 400;  // beyond the last digit of any double

// The text of a number literal without the white space around it and the single underscores inside, or nothing when they stand wrong.
std::optional<std::string> digits_of(Runtime& runtime, const Text& text) {
  ByteRange inner = strip(runtime, text, nullptr, Side::kBoth);
  std::string out;
  std::string_view s = text.view().substr(inner.first, inner.second - inner.first);
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '_') {
      out += s[i];
      continue;
    }
    bool is_between = i > 0 && i + 1 < s.size() && std::isalnum(static_cast<unsigned char>(s[i - 1])) &&
                      std::isalnum(static_cast<unsigned char>(s[i + 1]));
    if (!is_between) return std::nullopt;
  }
  return out;
}

std::optional<double> parse_float(Runtime& runtime, const Text& text) {
  auto digits = digits_of(runtime, text);
  if (!digits || digits->empty()) return std::nullopt;
  std::string_view s = *digits;
  bool is_negative = s[0] == '-';
  if (s[0] == '-' || s[0] == '+') s.remove_prefix(1);
  if (s.empty() || s[0] == '-' || s[0] == '+') return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error == std::errc::result_out_of_range) value = s.find("e-") != s.npos || s.find("E-") != s.npos || s[0] == '0' ? 0 : INFINITY;
  if (error == std::errc::invalid_argument || end != s.data() + s.size() || s.find('(') != s.npos) return std::nullopt;
  return is_negative ? -value : value;
}

std::optional<int64_t> parse_integer(Runtime& runtime, const Text& text, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  auto digits = digits_of(runtime, text);
  if (!digits || digits->empty()) return std::nullopt;
  std::string_view s = *digits;
  bool is_negative = s[0] == '-';
  if (s[0] == '-' || s[0] == '+') s.remove_prefix(1);
  if (s.size() > 1 && s[0] == '0') {
    char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(s[1])));
    int64_t marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked != 0 && (base == 0 || base == marked)) {
      base = marked;
      s.remove_prefix(2);
    } else if (base == 0 && s.find_first_not_of('0') != s.npos) {
      return std::nullopt;
    }
  }
  int64_t value = 0;
  std::string signed_digits = (is_negative ? "-" : "") + std::string(s);
  if (s.empty() || s[0] == '-' || s[0] == '+') return std::nullopt;
  const char* last = signed_digits.data() + signed_digits.size();
  auto [end, error] = std::from_chars(signed_digits.data(), last, value, base == 0 ? 10 : static_cast<int>(base));
  if (error == std::errc::result_out_of_range && end == last) {
    throw TemplateError("an integer does not fit in 64 bits", StatusCode::kOutOfRange);
  }
  return error == std::errc() && end == last ? std::optional(value) : std::nullopt;
}

std::optional<int64_t> truncated(double d) {
  if (!std::isfinite(d)) return std::nullopt;
  if (std::abs(d) >= 9223372036854775808.0) throw TemplateError("an integer does not fit in 64 bits", StatusCode::kOutOfRange);
  return static_cast<int64_t>(d);
}

Value int_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("int", arguments, {"default", "base"});
  if (value.is_undefined()) fail_undefined(value);
  std::optional<int64_t> number;
  if (value.is_string()) {
    number = parse_integer(runtime, value.text(), parameters.integer(1, 10));
    if (auto real = number ? std::nullopt : parse_float(runtime, value.text())) number = truncated(*real);
  } else if (value.is_number()) {
    number = value.is_integral() ? std::optional(value.as_int()) : truncated(value.as_double());
  }
  if (number) return Value::integer(*number, value.origin());
  return parameters.has(0) ? parameters[0] : Value::integer(0);
}

Value float_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("float", arguments, {"default"});
  if (value.is_undefined()) fail_undefined(value);
  std::optional<double> number;
  if (value.is_string()) number = parse_float(runtime, value.text());
  if (value.is_number()) number = value.as_double();
  if (number) return Value::real(*number, value.origin());
  return parameters.has(0) ? parameters[0] : Value::real(0);
}

Value abs_filter(Runtime&, const Value& value, Arguments& arguments) {
  Parameters parameters("abs", arguments, {});
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) throw TemplateError("bad operand type for abs(): '" + value.type_name() + "'");
  bool is_negative = value.as_double() < 0;
  return is_negative ? negate(value) : positive(value);
}

// Half to even on the exact decimal value, as Python's round().
double rounded(double d, int64_t decimals) {
  if (!std::isfinite(d) || decimals > kMaxDecimals) return d;
  if (decimals < 0) {
    double unit = std::pow(10.0, static_cast<double>(std::min<int64_t>(-decimals, kMaxDecimals)));
    return std::isinf(unit) ? std::copysign(0.0, d) : std::nearbyint(d / unit) * unit;
  }
  return parse_double(fmt::format("{:.{}f}", d, decimals)).value_or(d);
}

// round(i, decimals) of an int stays an int; only negative decimals change it.
int64_t rounded_integer(int64_t i, int64_t decimals) {
  if (decimals >= 0) return i;
  if (decimals < -18) return 0;
  int64_t unit = 1;
  for (int64_t k = 0; k < -decimals; ++k) unit *= 10;
  int64_t below = i - ((i % unit) + unit) % unit, rest = i - below;
  bool goes_up = rest * 2 > unit || (rest * 2 == unit && (below / unit) % 2 != 0);
  return goes_up ? below + unit : below;
}

Value round_filter(Runtime&, const Value& value, Arguments& arguments) {
  Parameters parameters("round", arguments, {"precision", "method"});
  std::string method = parameters.has(1) ? parameters.text(1).bytes() : "common";
  int64_t decimals = parameters.integer(0, 0);
  if (method != "common" && method != "ceil" && method != "floor") throw TemplateError("method must be common, ceil or floor");
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) throw TemplateError("type " + value.type_name() + " doesn't define __round__ method");
  if (method == "common") {
    if (value.is_integral()) return Value::integer(rounded_integer(value.as_int(), decimals), value.origin());
    return Value::real(rounded(value.as_double(), decimals), value.origin());
  }
  double scale = std::pow(10.0, static_cast<double>(std::clamp(decimals, -kMaxDecimals, kMaxDecimals)));
  double scaled = value.as_double() * scale;
  if (!std::isfinite(scaled)) throw TemplateError("cannot round an infinite number");
  return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale, value.origin());
}

Value sum_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("sum", arguments, {"attribute", "start"});
  AttributePath path(parameters[0]);
  Value total = parameters.has(1) ? parameters[1] : Value::integer(0);
  if (total.is_string()) throw TemplateError("sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : iterate(runtime, value)) total = arithmetic(runtime, Arithmetic::kAdd, total, path.follow(runtime, item));
  return total;
}

}  // namespace

Function::Body number_filter(std::string_view name) {
  static const std::unordered_map<std::string_view, Function::Body> kFilters = {
      {"abs", abs_filter}, {"float", float_filter}, {"int", int_filter}, {"round", round_filter}, {"sum", sum_filter}};
  auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace atelier::tokenize::jinja
