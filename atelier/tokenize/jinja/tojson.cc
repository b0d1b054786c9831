#include "atelier/tokenize/jinja/tojson.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

std::string unicode_escape(char32_t c) {
  if (c < 0x10000) return fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  uint32_t rest = static_cast<uint32_t>(c) - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

// The escape that JSON needs for c; empty when it stands for itself.
std::string json_escape(char32_t c, bool ensure_ascii) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      return c < 0x20 || (ensure_ascii && c > 0x7E) ? unicode_escape(c) : std::string();
  }
}

class Writer {
 public:
  Writer(Runtime& runtime, const JsonStyle& style) : runtime_(runtime), style_(style), out_(runtime.budget) {}

  void write(const Value& value, Origin around);
  Value finish() { return Value::string(out_.finish()); }

 private:
  // `around` is the origin of the input container that holds the value, or kTemplate: it wins over the value's own.
  void write_text(const Text& text, Origin around);
  void write_items(const Value& sequence, Origin around);
  void write_dict(const Value& dict, Origin around);
  void write_key(const Value& key, Origin around);
  void write_break(Origin origin);
  std::string number_text(const Value& value) const;
  std::vector<Dict::Entry> entries_in_order(const Dict& dict);

  Runtime& runtime_;
  const JsonStyle& style_;
  TextBuilder out_;
  int level_ = 0;
};

void Writer::write(const Value& value, Origin around) {
  runtime_.budget.step();
  Origin origin = joint_origin(around, value.origin());
  switch (value.kind()) {
    case Value::Kind::kNone:
      out_.append("null", origin);
      return;
    case Value::Kind::kBool:
      out_.append(value.as_bool() ? "true" : "false", origin);
      return;
    case Value::Kind::kInt:
    case Value::Kind::kFloat:
      out_.append(number_text(value), origin);
      return;
    case Value::Kind::kString:
      write_text(value.text(), around);
      return;
    case Value::Kind::kList:
    case Value::Kind::kTuple:
      write_items(value, origin);
      return;
    case Value::Kind::kDict:
      write_dict(value, origin);
      return;
    default:
      throw TemplateError("Object of type " + value.type_name() + " is not JSON serializable");
  }
}

std::string Writer::number_text(const Value& value) const {
  if (value.is_integral()) return std::to_string(value.as_int());
  double d = value.as_double();
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  return float_repr(d);
}

void Writer::write_text(const Text& text, Origin around) {
  auto append = [&](size_t begin, size_t end) {
    if (around == kTemplate) {
      out_.append(text, begin, end);
    } else {
      out_.append(text.view().substr(begin, end - begin), around);
    }
  };
  Origin quotes = joint_origin(around, text.origin());
  out_.append("\"", quotes);
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    size_t begin = at;
    std::string escape = json_escape(decode(text.view(), at), style_.ensure_ascii);
    if (escape.empty()) continue;
    append(plain, begin);
    out_.append(escape, joint_origin(around, text.origin_at(begin)));
    plain = at;
  }
  append(plain, text.size());
  out_.append("\"", quotes);
}

void Writer::write_break(Origin origin) {
  if (!style_.is_indented) return;
  out_.append("\n", origin);
  for (int i = 0; i < level_; ++i) out_.append(style_.indent, origin);
}

void Writer::write_items(const Value& sequence, Origin around) {
  if (sequence.items().empty()) return out_.append("[]", around);
  out_.append("[", around);
  ++level_;
  bool is_first = true;
  for (const Value& item : sequence.items()) {
    if (!is_first) out_.append(style_.item_separator, around);
    is_first = false;
    write_break(around);
    write(item, around);
  }
  --level_;
  write_break(around);
  out_.append("]", around);
}

std::vector<Dict::Entry> Writer::entries_in_order(const Dict& dict) {
  std::vector<Dict::Entry> entries = dict.entries();
  runtime_.budget.step(entries.size());
  if (style_.sort_keys) {
    std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return compare(runtime_, a.first, b.first) < 0; });
  }
  return entries;
}

void Writer::write_dict(const Value& dict, Origin around) {
  if (dict.dict().size() == 0) return out_.append("{}", around);
  out_.append("{", around);
  ++level_;
  bool is_first = true;
  for (const auto& [key, value] : entries_in_order(dict.dict())) {
    if (!is_first) out_.append(style_.item_separator, around);
    is_first = false;
    write_break(around);
    write_key(key, around);
    out_.append(style_.key_separator, around);
    write(value, around);
  }
  --level_;
  write_break(around);
  out_.append("}", around);
}

void Writer::write_key(const Value& key, Origin around) {
  if (key.is_string()) return write_text(key.text(), around);
  Origin origin = joint_origin(around, key.origin());
  if (key.is_none()) return out_.append("\"null\"", origin);
  if (key.is_bool()) return out_.append(key.as_bool() ? "\"true\"" : "\"false\"", origin);
  if (key.is_number()) return out_.append("\"" + number_text(key) + "\"", origin);
  throw TemplateError("keys must be str, int, float, bool or None, not " + key.type_name());
}

}  // namespace

Value to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
  Writer writer(runtime, style);
  writer.write(value, kTemplate);
  return writer.finish();
}

}  // namespace atelier::tokenize::jinja
