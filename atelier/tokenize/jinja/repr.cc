#include "atelier/tokenize/jinja/repr.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "atelier/tokenize/jinja/objects.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

std::string escaped(char32_t c, char quote) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\\':
      return "\\\\";
    default:
      break;
  }
  if (c == static_cast<char32_t>(quote)) return std::string("\\") + quote;
  if (is_printable(c)) return {};
  if (c < 0x100) return fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
  if (c < 0x10000) return fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  return fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
}

void append_quoted(TextBuilder& out, const Text& text) {
  bool has_single = text.view().find('\'') != std::string_view::npos;
  bool has_double = text.view().find('"') != std::string_view::npos;
  char quote = has_single && !has_double ? '"' : '\'';
  out.append(std::string_view(&quote, 1), text.origin());
  size_t plain = 0;  // begin of what is copied as it stands
  for (size_t at = 0; at < text.size();) {
    size_t begin = at;
    std::string escape = escaped(decode(text.view(), at), quote);
    if (escape.empty()) continue;
    out.append(text, plain, begin);
    out.append(escape, text.origin_at(begin));
    plain = at;
  }
  out.append(text, plain, text.size());
  out.append(std::string_view(&quote, 1), text.origin());
}

void append_items(Runtime& runtime, TextBuilder& out, const Value& sequence) {
  bool is_list = sequence.is_list();
  Origin origin = sequence.origin();
  out.append(is_list ? "[" : "(", origin);
  const Items& items = sequence.items();
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.append(", ", origin);
    append_repr(runtime, out, items[i]);
  }
  if (!is_list && items.size() == 1) out.append(",", origin);
  out.append(is_list ? "]" : ")", origin);
}

void append_dict(Runtime& runtime, TextBuilder& out, const Value& dict) {
  Origin origin = dict.origin();
  out.append("{", origin);
  bool is_first = true;
  for (const auto& [key, value] : dict.dict().entries()) {
    if (!is_first) out.append(", ", origin);
    is_first = false;
    append_repr(runtime, out, key);
    out.append(": ", origin);
    append_repr(runtime, out, value);
  }
  out.append("}", origin);
}

void append_object(Runtime& runtime, TextBuilder& out, const Value& value) {
  auto iterable = value.object_as<Iterable>();
  if (iterable && iterable->iterable_kind() == Iterable::Kind::kView) {
    out.append(iterable->type_name() + "(", kTemplate);
    append_repr(runtime, out, Value::list(iterable->items()));
    out.append(")", kTemplate);
    return;
  }
  std::string text = value.object()->repr();
  if (text.empty())
    throw TemplateError("a " + value.type_name() + " has no text of its own; call it, or use |list", StatusCode::kUnsupported);
  out.append(text, kTemplate);
}

}  // namespace

std::string float_repr(double d) {
  if (std::isnan(d)) return "nan";
  if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer;
  bool is_plain = d == 0 || (std::abs(d) >= 1e-4 && std::abs(d) < 1e16);
  auto form = is_plain ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, form).ptr);
  if (is_plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

void append_repr(Runtime& runtime, TextBuilder& out, const Value& value) {
  runtime.budget.step();
  switch (value.kind()) {
    case Value::Kind::kUndefined:
      out.append("Undefined", kTemplate);
      return;
    case Value::Kind::kString:
      if (value.is_markup()) out.append("Markup(", value.origin());
      append_quoted(out, value.text());
      if (value.is_markup()) out.append(")", value.origin());
      return;
    case Value::Kind::kList:
    case Value::Kind::kTuple:
      append_items(runtime, out, value);
      return;
    case Value::Kind::kDict:
      append_dict(runtime, out, value);
      return;
    case Value::Kind::kObject:
      append_object(runtime, out, value);
      return;
    default:
      append_str(runtime, out, value);
      return;
  }
}

void append_str(Runtime& runtime, TextBuilder& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kUndefined:
      return;
    case Value::Kind::kNone:
      out.append("None", value.origin());
      return;
    case Value::Kind::kBool:
      out.append(value.as_bool() ? "True" : "False", value.origin());
      return;
    case Value::Kind::kInt:
      out.append(std::to_string(value.as_int()), value.origin());
      return;
    case Value::Kind::kFloat:
      out.append(float_repr(value.as_double()), value.origin());
      return;
    case Value::Kind::kString:
      out.append(value.text());
      return;
    default:
      append_repr(runtime, out, value);
      return;
  }
}

Value to_str(Runtime& runtime, const Value& value) {
  if (value.is_string()) return value;
  TextBuilder builder(runtime.budget);
  append_str(runtime, builder, value);
  return Value::string(builder.finish());
}

std::string repr_bytes(Runtime& runtime, const Value& value) {
  TextBuilder builder(runtime.budget);
  append_repr(runtime, builder, value);
  return builder.finish().bytes();
}

}  // namespace atelier::tokenize::jinja
