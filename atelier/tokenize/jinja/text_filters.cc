// Filters on strings. What is no string is taken as what it prints, as Jinja does.
#include <algorithm>
#include <unordered_map>

#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/filters.h"
#include "atelier/tokenize/jinja/markup.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/text_algorithms.h"
#include "atelier/tokenize/jinja/tojson.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

Value tojson(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = parameters.flag(0, false);
  style.sort_keys = parameters.flag(3, false);
  if (const Value& indent = parameters[1]; !indent.is_none()) {
    style.is_indented = true;
    style.item_separator = ",";
    int64_t width = indent.is_string() ? 0 : std::clamp<int64_t>(parameters.integer(1, 0), 0, kMaxText);
    style.indent = indent.is_string() ? indent.bytes() : std::string(width, ' ');
  }
  if (const Value& separators = parameters[2]; !separators.is_none()) {
    bool is_pair = separators.is_sequence() && separators.items().size() == 2;
    if (!is_pair || !separators.items()[0].is_string() || !separators.items()[1].is_string()) {
      throw TemplateError("tojson() wants two strings as separators");
    }
    style.item_separator = separators.items()[0].bytes();
    style.key_separator = separators.items()[1].bytes();
  }
  return to_json(runtime, value, style);
}

Value trim(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("trim", arguments, {"chars"});
  Value text = to_str(runtime, value);
  const Text* chars = parameters.has(0) && !parameters[0].is_none() ? &parameters.text(0) : nullptr;
  return marked_like(value, substring(runtime, text, strip(runtime, text.text(), chars, Side::kBoth)));
}

template <Case kCase>
Value case_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("filter", arguments, {});
  return marked_like(value, change_case(runtime, to_str(runtime, value).text(), kCase));
}

// Words begin after white space, hyphens and opening brackets, unlike those of str.title().
Value title(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("title", arguments, {});
  Value string = to_str(runtime, value);
  const Text& text = string.text();
  auto is_border = [](char32_t c) { return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<'; };
  TextBuilder builder(runtime.budget);
  for (size_t at = 0; at < text.size();) {
    size_t begin = at;
    size_t after_first = skip_code_points(text.view(), begin, 1);
    bool is_word = !is_border(decode(text.view(), at));
    for (size_t next = at; next < text.size() && is_border(decode(text.view(), next)) != is_word;) at = next;
    Value first = substring(runtime, string, {begin, after_first}), rest = substring(runtime, string, {after_first, at});
    builder.append(change_case(runtime, first.text(), Case::kUpper).text());
    builder.append(change_case(runtime, rest.text(), Case::kLower).text());
  }
  return Value::string(builder.finish());
}

Value replace_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("replace", arguments, {"old", "new", "count"}, 2);
  Value text = to_str(runtime, value), old = to_str(runtime, parameters[0]), replacement = to_str(runtime, parameters[1]);
  int64_t count = parameters[2].is_none() ? -1 : parameters.integer(2, -1);
  return replace(runtime, text.text(), old.text(), replacement.text(), count);
}

Value escape(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("escape", arguments, {});
  return escaped(runtime, value);
}

Value forceescape(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("forceescape", arguments, {});
  return escaped(runtime, to_str(runtime, value).as_plain());
}

Value safe(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("safe", arguments, {});
  return to_str(runtime, value).as_markup();
}

Value string_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("string", arguments, {});
  return to_str(runtime, value);
}

Value center(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("center", arguments, {"width"});
  Arguments width;
  width.positional.push_back(Value::integer(parameters.integer(0, 80)));
  Value method;
  get_method(to_str(runtime, value), "center", method);
  return call(runtime, method, width);
}

Value format_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.keyword.empty()) {
    throw TemplateError("can't handle positional and keyword arguments at the same time");
  }
  Value values = Value::tuple(arguments.positional);
  if (!arguments.keyword.empty()) {
    Dict named;
    for (auto& [name, member] : arguments.keyword) named.set(Value::constant(name), member);
    values = Value::dict(std::move(named));
  }
  return arithmetic(runtime, Arithmetic::kModulo, to_str(runtime, value), values);
}

Value indent(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("indent", arguments, {"width", "first", "blank"});
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_string()) throw TemplateError("indent wants a str, got " + value.type_name());
  const Text& text = value.text();
  bool indents_first = parameters.flag(1, false), indents_blank = parameters.flag(2, false);
  int64_t width = parameters[0].is_string() ? 0 : std::clamp<int64_t>(parameters.integer(0, 4), 0, kMaxText);
  Text spaces(std::string(width, ' '), kTemplate);
  const Text& indention = parameters[0].is_string() ? parameters[0].text() : spaces;
  TextBuilder builder(runtime.budget);
  std::vector<ByteRange> lines = split_lines(runtime, text, false);
  // As Jinja, which adds a newline before it splits: a text that ends in one keeps it as an empty last line.
  bool ends_in_break = text.size() > 0 && (lines.empty() || lines.back().second < text.size());
  if (ends_in_break || lines.empty()) lines.emplace_back(text.size(), text.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    bool is_blank = lines[i].first == lines[i].second;
    if (i > 0) builder.append("\n", text.origin_at(lines[i - 1].second));
    if (i == 0 ? indents_first : (indents_blank || !is_blank)) builder.append(indention);
    builder.append(text, lines[i]);
  }
  return marked_like(value, Value::string(builder.finish()));
}

Value truncate(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("truncate", arguments, {"length", "killwords", "end", "leeway"});
  Value string = to_str(runtime, value);
  Text dots("...", kTemplate);
  const Text& end = parameters.has(2) ? parameters.text(2) : dots;
  int64_t limit = parameters.integer(0, 255), leeway = parameters[3].is_none() ? 5 : parameters.integer(3, 5);
  int64_t end_length = static_cast<int64_t>(end.length()), length = static_cast<int64_t>(string.text().length());
  if (limit < end_length) throw TemplateError("expected length >= " + std::to_string(end_length) + ", got " + std::to_string(limit));
  if (leeway < 0) throw TemplateError("expected leeway >= 0, got " + std::to_string(leeway));
  if (length - leeway <= limit) return string;
  size_t cut = string.text().byte_of(limit - end_length);
  if (!parameters.flag(1, false)) {
    if (auto space = find(runtime, string.text(), Text(" ", kTemplate), {0, cut}, true)) cut = *space;
  }
  TextBuilder builder(runtime.budget);
  builder.append(string.text(), 0, cut);
  builder.append(end);
  return marked_like(value, Value::string(builder.finish()));
}

Value wordcount(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("wordcount", arguments, {});
  Value string = to_str(runtime, value);
  std::string_view s = string.text().view();
  runtime.budget.work(s.size());
  int64_t num_words = 0;
  bool in_word = false;
  for (size_t at = 0; at < s.size();) {
    bool is_in = is_word(decode(s, at));
    num_words += is_in && !in_word;
    in_word = is_in;
  }
  return Value::integer(num_words, value.origin());
}

}  // namespace

Function::Body text_filter(std::string_view name) {
  static const std::unordered_map<std::string_view, Function::Body> kFilters = {
      {"capitalize", case_filter<Case::kCapitalize>},
      {"center", center},
      {"e", escape},
      {"escape", escape},
      {"forceescape", forceescape},
      {"format", format_filter},
      {"indent", indent},
      {"lower", case_filter<Case::kLower>},
      {"replace", replace_filter},
      {"safe", safe},
      {"string", string_filter},
      {"title", title},
      {"tojson", tojson},
      {"trim", trim},
      {"truncate", truncate},
      {"upper", case_filter<Case::kUpper>},
      {"wordcount", wordcount},
  };
  auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace atelier::tokenize::jinja
