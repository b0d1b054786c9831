#include "atelier/generate/tool_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "atelier/base/strings.h"
#include "atelier/generate/begun_sign.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/generate/grammar/regex_rules.h"
#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

using E = Expression;

const Json* property_of(const Json& schema, std::string_view key) {
  const Json* properties = schema.find("properties");
  return properties != nullptr ? properties->find(key) : nullptr;
}

const Json* values_of(const Json& schema) {
  const Json* values = schema.find("enum");
  return values != nullptr && values->is_array() ? values : nullptr;
}

bool is_text(const Json& schema) {
  if (const Json* type = schema.find("type"); type != nullptr) return type->is_string() && type->as_string() == "string";
  if (const Json* value = schema.find("const")) return value->is_string();
  const Json* values = values_of(schema);
  return values != nullptr &&
         std::all_of(values->as_array().begin(), values->as_array().end(), [](const Json& v) { return v.is_string(); });
}

bool may_be_text(const Json& schema) {
  if (!schema.is_object() || schema.as_object().empty()) return true;
  const Json* type = schema.find("type");
  if (type == nullptr)
    return !schema.contains("enum") && !schema.contains("const") && !schema.contains("$ref") && !schema.contains("anyOf");
  return type->is_array() && std::find(type->as_array().begin(), type->as_array().end(), Json("string")) != type->as_array().end();
}

E literal_of(const Json& value) { return E::literal(value.is_string() ? value.as_string() : value.dump()); }

// Any text without `sign`, whose first character it has but once.
E text_without(std::string_view sign) {
  const auto set_without = [](std::string_view characters) {
    std::vector<CodePointRange> ranges;
    for (const char c : characters) ranges.emplace_back(c, c);
    return E::set(complement(std::move(ranges)));
  };
  const std::string first(sign.substr(0, 1));
  std::vector<E> begun, left;  // beginnings of the sign; those that another character follows
  for (size_t length = 1; length < sign.size(); ++length) {
    begun.push_back(E::literal(sign.substr(0, length)));
    left.push_back(E::sequence({begun.back(), set_without(first + sign[length])}));
  }
  const E any_begun = E::repeat(E::choice(std::move(begun)), 0, kUnbounded);
  const E plain = E::choice({set_without(first), E::sequence({any_begun, E::choice(std::move(left))})});
  return E::sequence({E::repeat(plain, 0, kUnbounded), any_begun});
}

class ArgumentRules {
 public:
  ArgumentRules(const ToolFormat& format, const Json& schema)
      : format_(format), schema_(schema), text_(text_without(trim_ascii(format.value_close))) {
    rules_.push_back({"arguments", {}});
  }

  Result<std::vector<GrammarRule>> run() {
    if (schema_.is_null()) {
      rules_[0].expression = others();
      return std::move(rules_);
    }
    ATELIER_RETURN_IF_ERROR(json_schema_rules(schema_).status());
    for (const char* keyword : {"$ref", "enum", "const", "anyOf", "oneOf", "allOf"}) {
      if (schema_.contains(keyword)) return Status::unsupported(fmt::format("parameters: {} instead of properties; state these", keyword));
    }
    const Json *properties = schema_.find("properties"), *additional = schema_.find("additionalProperties");
    const bool has_properties = properties != nullptr && !properties->as_object().empty();
    std::vector<E> arguments;
    if (has_properties) {
      for (const auto& [name, property] : properties->as_object()) {
        ATELIER_TRY(E value, value_of(name, property));
        E argument = framed(E::literal(name), std::move(value));
        arguments.push_back(is_required(name) ? std::move(argument) : E::optional(std::move(argument)));
      }
    }
    const bool is_open = additional != nullptr ? !additional->is_bool() || additional->as_bool() : !has_properties;
    if (is_open) arguments.push_back(others());
    rules_[0].expression = E::sequence(std::move(arguments));
    return std::move(rules_);
  }

 private:
  E framed(E key, E value) const {
    return E::sequence({E::literal(format_.key_open), std::move(key), E::literal(std::string(format_.key_close) + format_.value_open),
                        std::move(value), E::literal(format_.value_close)});
  }
  E others() const {
    const E name = E::set({{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}, {'-', '-'}, {'.', '.'}});
    return E::repeat(framed(E::repeat(name, 1, 64), text_), 0, kUnbounded);
  }
  bool is_required(const std::string& name) const {
    const Json* required = schema_.find("required");
    return required != nullptr &&
           std::find(required->as_array().begin(), required->as_array().end(), Json(name)) != required->as_array().end();
  }

  Result<E> value_of(const std::string& name, const Json& property) {
    if (is_text(property)) return text_of(name, property);
    if (may_be_text(property)) return text_;
    Json alone = property;  // with what it may refer to
    for (const char* key : {"$defs", "definitions"}) {
      if (const Json* definitions = schema_.find(key); definitions != nullptr && alone.is_object()) alone.set(key, *definitions);
    }
    ATELIER_TRY(auto rules, json_schema_rules(alone));
    return E::reference(append_rules(std::move(rules), rules_));
  }

  Result<E> text_of(const std::string& name, const Json& property) const {
    if (const Json* value = property.find("const")) return literal_of(*value);
    if (const Json* values = values_of(property)) {
      std::vector<E> choices;
      for (const Json& value : values->as_array()) choices.push_back(literal_of(value));
      return E::choice(std::move(choices));
    }
    if (property.contains("format"))
      return Status::unsupported(
          fmt::format("parameters: {}: format is not supported where arguments stand one by one; use pattern", name));
    if (const Json* pattern = property.find("pattern")) {
      ATELIER_TRY(const RegexExpression read, regex_expression(pattern->as_string()));
      return E::sequence({read.begins ? E::literal("") : text_, read.expression, read.ends ? E::literal("") : text_});
    }
    if (!property.contains("minLength") && !property.contains("maxLength")) return text_;
    // A text of a certain length has no sign's first character at all, so that characters can be counted.
    ATELIER_TRY(const int64_t min, property.get_int("minLength", 0));
    ATELIER_TRY(const int64_t max, property.get_int("maxLength", kUnbounded));
    const char first = trim_ascii(format_.value_close)[0];
    return E::repeat(E::set(complement({{first, first}})), static_cast<uint32_t>(min), static_cast<uint32_t>(max));
  }

  const ToolFormat& format_;
  const Json& schema_;
  const E text_;
  std::vector<GrammarRule> rules_;
};

}  // namespace

std::string write_tagged_arguments(const ToolFormat& format, const std::string& object) {
  const auto arguments = Json::parse(object, "arguments");
  std::string text;
  if (!arguments.ok() || !arguments->is_object()) return text;
  for (const auto& [key, value] : arguments->as_object()) {
    text += format.key_open + key + format.key_close + format.value_open;
    text += (value.is_string() ? value.as_string() : value.dump()) + format.value_close;
  }
  return text;
}

Result<std::vector<GrammarRule>> tagged_argument_rules(const ToolFormat& format, const Json& schema) {
  return ArgumentRules(format, schema).run();
}

TaggedArguments::TaggedArguments(const ToolFormat& format, Json schema)
    : key_open_(trim_ascii(format.key_open)),
      key_close_(trim_ascii(format.key_close)),
      value_open_(trim_ascii(format.value_open)),
      value_close_(trim_ascii(format.value_close)),
      has_line_breaks_(*format.value_close == '\n'),
      schema_(std::move(schema)) {}

std::string TaggedArguments::take() { return std::exchange(out_, {}); }

TaggedArguments::Step TaggedArguments::read(std::string& text) {
  while (at_ != At::kDone) {
    if (!step(text)) return Step::kMore;
  }
  return Step::kDone;
}

bool TaggedArguments::step(std::string& text) {
  if (at_ == At::kKeyOrEnd || (at_ == At::kValueOpen && !value_open_.empty())) {
    text.erase(0, std::min(text.find_first_not_of(" \n\r\t"), text.size()));
    const std::string& sign = at_ == At::kKeyOrEnd ? key_open_ : value_open_;
    if (!text.starts_with(sign)) {
      if (sign.starts_with(text)) return false;
      if (at_ == At::kValueOpen) out_ += "null";  // a key without a value
      end();
      return true;
    }
    text.erase(0, sign.size());
    at_ = at_ == At::kKeyOrEnd ? At::kKey : At::kValue;
    return true;
  }
  if (at_ == At::kKey) {
    const size_t close = text.find(key_close_);
    if (close == std::string::npos && text.size() < kMaxKey + key_close_.size()) return false;
    const std::string key(trim_ascii(text.substr(0, close)));
    if (close == std::string::npos || key.empty() || close > kMaxKey) {
      end();
      return true;
    }
    text.erase(0, close + key_close_.size());
    const Json* property = property_of(schema_, key);
    is_text_ = property != nullptr && is_text(*property);
    is_text_begun_ = false;
    out_ += (num_arguments_++ == 0 ? "{" : ", ") + Json(key).dump() + ": ";
    at_ = At::kValueOpen;
    return true;
  }
  if (at_ == At::kValueOpen) {  // a line break of the form's own
    if (text.empty()) return false;
    if (text[0] == '\n') text.erase(0, 1);
    at_ = At::kValue;
    return true;
  }
  return read_value(text);
}

bool TaggedArguments::read_value(std::string& text) {
  const size_t close = text.find(value_close_);
  if (close != std::string::npos) {
    size_t size = close;
    if (has_line_breaks_ && size > 0 && text[size - 1] == '\n') --size;
    put_value(std::string_view(text).substr(0, size), true);
    text.erase(0, close + value_close_.size());
    at_ = At::kKeyOrEnd;
    return true;
  }
  if (!is_text_) return false;
  // What may become the sign waits, and so does a line break before it, and half a character.
  size_t size = text.size() - begun_sign(text, value_close_);
  if (has_line_breaks_ && size > 0 && text[size - 1] == '\n') --size;
  size = text::certain_prefix(std::string_view(text).substr(0, size));
  put_value(std::string_view(text).substr(0, size), false);
  text.erase(0, size);
  return false;
}

void TaggedArguments::put_value(std::string_view value, bool is_whole) {
  if (is_text_) {
    const std::string quoted = Json(value).dump();
    if (!is_text_begun_) out_ += '"';
    out_ += quoted.substr(1, quoted.size() - 2);
    if (is_whole) out_ += '"';
    is_text_begun_ = true;
    return;
  }
  const auto json = Json::parse(trim_ascii(value), "value");
  out_ += json.ok() ? std::string(trim_ascii(value)) : Json(value).dump();
}

void TaggedArguments::finish() {
  if (at_ == At::kKeyOrEnd) end();
}

void TaggedArguments::end() {
  out_ += num_arguments_ == 0 ? "{}" : "}";
  at_ = At::kDone;
}

}  // namespace atelier::generate
