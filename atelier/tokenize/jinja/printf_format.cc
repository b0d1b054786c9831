#include "atelier/tokenize/jinja/printf_format.h"

#include <cmath>

#include "atelier/tokenize/jinja/format_spec.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"

namespace atelier::tokenize::jinja {

namespace {

class PrintfFormatter {
 public:
  PrintfFormatter(Runtime& runtime, const Text& format, const Value& values)
      : runtime_(runtime), format_(format), s_(format.view()), values_(values), out_(runtime.budget) {}

  Value run();

 private:
  void conversion();
  FormatSpec flags();
  int64_t number();
  Value next_argument();
  void append(const Value& value, FormatSpec spec, char conversion);
  char take() {
    if (at_ >= s_.size()) throw TemplateError("incomplete format");
    return s_[at_++];
  }

  Runtime& runtime_;
  const Text& format_;
  std::string_view s_;
  const Value& values_;
  TextBuilder out_;
  size_t at_ = 0;
  size_t num_used_ = 0;
  bool is_mapped_ = false;  // a "%(name)" was met
};

Value PrintfFormatter::run() {
  while (at_ < s_.size()) {
    size_t percent = std::min(s_.find('%', at_), s_.size());
    out_.append(format_, at_, percent);
    at_ = percent;
    if (at_ < s_.size()) conversion();
  }
  bool takes_all = is_mapped_ || values_.is_dict() || values_.is_list();
  size_t num_given = values_.kind() == Value::Kind::kTuple ? values_.items().size() : 1;
  if (!takes_all && num_used_ < num_given) throw TemplateError("not all arguments converted during string formatting");
  return Value::string(out_.finish());
}

void PrintfFormatter::conversion() {
  runtime_.budget.step();
  size_t begin = at_++;
  std::optional<Value> named;
  if (at_ < s_.size() && s_[at_] == '(') {
    size_t close = s_.find(')', at_);
    if (close == std::string_view::npos) throw TemplateError("incomplete format key");
    if (!values_.is_dict()) throw TemplateError("format requires a mapping");
    const Value* member = values_.dict().find(s_.substr(at_ + 1, close - at_ - 1));
    if (!member) throw TemplateError("no such key: '" + std::string(s_.substr(at_ + 1, close - at_ - 1)) + "'");
    named = *member;
    is_mapped_ = true;
    at_ = close + 1;
  }
  FormatSpec spec = flags();
  spec.width = number();
  if (spec.width < 0) {
    spec.align = '<';
    spec.width = -spec.width;
  }
  if (at_ < s_.size() && s_[at_] == '.') {
    ++at_;
    spec.precision = static_cast<int>(std::max<int64_t>(number(), 0));
  }
  char c = take();
  if (c == 'h' || c == 'l' || c == 'L') c = take();
  if (c == '%') return out_.append(format_, begin, begin + 1);
  append(named ? *named : next_argument(), spec, c);
}

FormatSpec PrintfFormatter::flags() {
  FormatSpec spec;
  spec.align = '>';
  for (; at_ < s_.size(); ++at_) {
    switch (s_[at_]) {
      case '-':
        spec.align = '<';
        break;
      case '+':
        spec.sign = '+';
        break;
      case ' ':
        spec.sign = spec.sign == '+' ? '+' : ' ';
        break;
      case '#':
        spec.is_alternate = true;
        break;
      case '0':
        if (spec.align != '<') spec.align = '=';
        spec.fill = "0";
        break;
      default:
        if (spec.align == '<') spec.fill = " ";
        return spec;
    }
  }
  return spec;
}

int64_t PrintfFormatter::number() {
  if (at_ < s_.size() && s_[at_] == '*') {
    ++at_;
    Value width = next_argument();
    constexpr int64_t kMaxWidth = static_cast<int64_t>(kMaxText);
    if (!width.is_integral()) throw TemplateError("* wants int");
    if (width.as_int() > kMaxWidth || width.as_int() < -kMaxWidth) {
      throw TemplateError("a format asks for more than 16 MiB", StatusCode::kOutOfRange);
    }
    return width.as_int();
  }
  return parse_digits(s_, at_).value_or(0);
}

Value PrintfFormatter::next_argument() {
  bool is_tuple = values_.kind() == Value::Kind::kTuple;
  if (num_used_ >= (is_tuple ? values_.items().size() : 1)) throw TemplateError("not enough arguments for format string");
  return is_tuple ? values_.items()[num_used_++] : (++num_used_, values_);
}

void PrintfFormatter::append(const Value& value, FormatSpec spec, char conversion) {
  bool is_text = conversion == 's' || conversion == 'r' || conversion == 'a';
  if (is_text || (conversion == 'c' && value.is_string())) {
    if (spec.align == '=') spec.align = '>';
    spec.fill = " ";
    bool as_repr = conversion == 'r' || conversion == 'a';
    if (conversion == 'c' && value.text().length() != 1) throw TemplateError("%c requires int or char");
    Value text = as_repr ? runtime_.text(repr_bytes(runtime_, value), value.origin()) : to_str(runtime_, value);
    return append_formatted(runtime_, out_, text, spec);
  }
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) {
    throw TemplateError(std::string("%") + conversion + " format: a real number is required, not " + value.type_name());
  }
  Value number = value.is_float() ? value : Value::integer(value.as_int(), value.origin());
  spec.type = conversion == 'i' || conversion == 'u' ? 'd' : conversion;
  if (spec.type == 'd') {
    if (number.is_float() && !(std::abs(number.as_double()) < 9.2e18)) {
      throw TemplateError("an integer does not fit in 64 bits", StatusCode::kOutOfRange);
    }
    if (number.is_float()) number = Value::integer(static_cast<int64_t>(number.as_double()), value.origin());
    spec.precision.reset();
  } else if (std::string_view("oxXeEfFgGc").find(spec.type) == std::string_view::npos) {
    throw TemplateError(std::string("unsupported format character '") + conversion + "'");
  }
  append_formatted(runtime_, out_, number, spec);
}

}  // namespace

Value printf_format(Runtime& runtime, const Text& format, const Value& values) { return PrintfFormatter(runtime, format, values).run(); }

}  // namespace atelier::tokenize::jinja
