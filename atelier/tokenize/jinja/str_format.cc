#include "atelier/tokenize/jinja/str_format.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/tokenize/jinja/format_spec.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"

namespace atelier::tokenize::jinja {

namespace {

class StrFormatter {
 public:
  StrFormatter(Runtime& runtime, const Text& format, const Arguments& arguments)
      : runtime_(runtime), format_(format), s_(format.view()), arguments_(arguments), out_(runtime.budget) {}

  Value run();

 private:
  void field();
  Value argument(std::string_view name);
  Value lookup(std::string_view path);

  Runtime& runtime_;
  const Text& format_;
  std::string_view s_;
  const Arguments& arguments_;
  TextBuilder out_;
  size_t at_ = 0;
  size_t num_automatic_ = 0;
};

Value StrFormatter::run() {
  while (at_ < s_.size()) {
    size_t brace = std::min(s_.find_first_of("{}", at_), s_.size());
    out_.append(format_, at_, brace);
    at_ = brace;
    if (at_ == s_.size()) break;
    bool is_doubled = at_ + 1 < s_.size() && s_[at_ + 1] == s_[at_];
    if (is_doubled) {
      out_.append(format_, at_, at_ + 1);
      at_ += 2;
    } else if (s_[at_] == '}') {
      throw TemplateError("Single '}' encountered in format string");
    } else {
      field();
    }
  }
  return Value::string(out_.finish());
}

void StrFormatter::field() {
  runtime_.budget.step();
  size_t close = s_.find('}', at_);
  if (close == std::string_view::npos) throw TemplateError("expected '}' before end of string");
  std::string_view inside = s_.substr(at_ + 1, close - at_ - 1);
  at_ = close + 1;
  if (inside.find('{') != std::string_view::npos) {
    throw TemplateError("fields inside a format specification are not supported", StatusCode::kUnsupported);
  }
  size_t colon = std::min(inside.find(':'), inside.size());
  std::string_view name = inside.substr(0, colon);
  std::string_view spec = colon < inside.size() ? inside.substr(colon + 1) : std::string_view();
  char conversion = 0;
  if (size_t mark = name.find('!'); mark != std::string_view::npos) {
    conversion = mark + 2 == name.size() ? name[mark + 1] : '?';
    name = name.substr(0, mark);
  }
  Value value = lookup(name);
  if (conversion == 'r' || conversion == 'a') {
    value = runtime_.text(repr_bytes(runtime_, value), value.origin());
  } else if (conversion == 's') {
    value = to_str(runtime_, value);
  } else if (conversion != 0) {
    throw TemplateError("unknown conversion in a replacement field");
  }
  if (spec.empty()) return append_str(runtime_, out_, value);
  append_formatted(runtime_, out_, value, parse_format_spec(spec));
}

Value StrFormatter::argument(std::string_view name) {
  std::optional<int64_t> index = name.empty() ? static_cast<int64_t>(num_automatic_++) : parse_int(name);
  if (index) {
    if (*index < 0 || static_cast<size_t>(*index) >= arguments_.positional.size()) {
      throw TemplateError("Replacement index " + std::to_string(*index) + " out of range for positional args tuple");
    }
    return arguments_.positional[*index];
  }
  for (const auto& [key, value] : arguments_.keyword) {
    if (key == name) return value;
  }
  throw TemplateError("no such key: '" + std::string(name) + "'");
}

// "0.name[key]": the argument, then attributes and items.
Value StrFormatter::lookup(std::string_view path) {
  size_t end = std::min(path.find_first_of(".["), path.size());
  Value value = argument(path.substr(0, end));
  while (end < path.size()) {
    size_t begin = end + 1;
    if (path[end] == '.') {
      end = std::min(path.find_first_of(".[", begin), path.size());
      value = get_attribute(runtime_, value, path.substr(begin, end - begin));
    } else {
      size_t close = path.find(']', begin);
      if (close == std::string_view::npos) throw TemplateError("Missing ']' in format string");
      std::string_view key = path.substr(begin, close - begin);
      auto index = parse_int(key);
      value = get_item(runtime_, value, index ? Value::integer(*index) : runtime_.text(std::string(key)));
      end = close + 1;
    }
  }
  return value;
}

}  // namespace

Value str_format(Runtime& runtime, const Text& format, const Arguments& arguments) {
  return StrFormatter(runtime, format, arguments).run();
}

}  // namespace atelier::tokenize::jinja
