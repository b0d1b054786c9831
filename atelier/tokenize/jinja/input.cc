#include "atelier/tokenize/jinja/input.h"

#include <algorithm>
#include <string_view>

#include "atelier/text/utf8.h"

namespace atelier::tokenize::jinja {

namespace {

Value text_value(Runtime& runtime, const std::string& bytes, Origin origin) {
  TextBuilder builder(runtime.budget);
  if (text::is_valid_utf8(bytes)) {
    builder.append(bytes, origin);
  } else {
    builder.append(text::repair_utf8(bytes), origin);
  }
  return Value::string(builder.finish());
}

Value convert(Runtime& runtime, const Json& json, Origin origin, int depth) {
  if (depth >= kMaxValueDepth)
    throw TemplateError("the input is nested deeper than " + std::to_string(kMaxValueDepth), StatusCode::kOutOfRange);
  if (json.is_bool()) return Value::boolean(json.as_bool(), origin);
  if (json.is_int()) return Value::integer(json.as_int(), origin);
  if (json.is_number()) return Value::real(json.as_double(), origin);
  if (json.is_string()) return text_value(runtime, json.as_string(), origin);
  if (json.is_array()) {
    Items items;
    for (const Json& element : json.as_array()) {
      items.push_back(convert(runtime, element, runtime.origins.add_element(origin, items.size()), depth + 1));
    }
    return Value::list(std::move(items), origin);
  }
  if (json.is_object()) {
    Dict dict;
    for (const auto& [key, member] : json.as_object()) {
      Origin path = runtime.origins.add_member(origin, key);
      dict.set(text_value(runtime, key, path), convert(runtime, member, path, depth + 1));
    }
    return Value::dict(std::move(dict), origin);
  }
  return Value(nullptr, origin);
}

// transformers' names for a message's reasoning; the first that is there and not null counts.
constexpr const char* kReasoning[] = {"reasoning_content", "thinking", "reasoning"};

// Roles that templates know. Several templates write a special token around them ('<|' + message['role'] + '|>'), so they count as
// the template's own; any other role is the message's text, or it could spell "<|end|>" there.
constexpr std::string_view kKnownRoles[] = {"system", "user", "assistant", "tool", "developer", "function"};

bool is_known_role(std::string_view key, const Value& value) {
  return key == "role" && value.is_string() && std::ranges::find(kKnownRoles, value.bytes()) != std::end(kKnownRoles);
}

Value prepared_message(const Value& message) {
  const Value* reasoning = nullptr;
  for (const char* name : kReasoning) {
    const Value* found = message.dict().find(name);
    if (!reasoning && found && !found->is_none()) reasoning = found;
  }
  Dict dict;
  if (reasoning) dict.set(Value::constant("thinking"), *reasoning);
  for (const auto& [key, value] : message.dict().entries()) {
    dict.set(key, is_known_role(key.bytes(), value) ? Value::constant(value.bytes()) : value);
  }
  if (reasoning) dict.set(Value::constant("reasoning_content"), *reasoning);
  return Value::dict(std::move(dict), message.origin());
}

}  // namespace

Value value_from_json(Runtime& runtime, const Json& json, const std::string& name) {
  return convert(runtime, json, runtime.origins.add_root(name), 0);
}

Value messages_from_json(Runtime& runtime, const Json& messages) {
  Value list = value_from_json(runtime, messages, "messages");
  if (!list.is_list()) throw TemplateError("messages must be a list");
  Items items;
  for (const Value& message : list.items()) {
    if (!message.is_dict()) throw TemplateError("Chat messages should be dicts, but one is a " + message.type_name());
    items.push_back(prepared_message(message));
  }
  return Value::list(std::move(items), list.origin());
}

}  // namespace atelier::tokenize::jinja
