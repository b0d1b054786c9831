// The methods of dict, list and tuple. Those that would change their object are hidden by the sandbox.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/markup.h"
#include "atelier/tokenize/jinja/methods.h"
#include "atelier/tokenize/jinja/operators.h"

namespace atelier::tokenize::jinja {

namespace {

Value dict_get(Runtime&, const Value& self, Arguments& arguments) {
  Parameters parameters("get", arguments, {"key", "default"}, 1);
  const Value* member = self.dict().find(parameters[0]);
  return member ? *member : parameters[1];
}

Value view_of(Runtime& runtime, const char* type_name, Items items) {
  runtime.budget.step(items.size());
  return Value::object(std::make_shared<Iterable>(Iterable::Kind::kView, type_name, std::move(items)));
}

Value dict_keys(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("keys", arguments, {});
  Items items;
  for (const auto& entry : self.dict().entries()) items.push_back(entry.first);
  return view_of(runtime, "dict_keys", std::move(items));
}

Value dict_values(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("values", arguments, {});
  Items items;
  for (const auto& entry : self.dict().entries()) items.push_back(entry.second);
  return view_of(runtime, "dict_values", std::move(items));
}

Value dict_items(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("items", arguments, {});
  Items items;
  for (const auto& [key, value] : self.dict().entries()) items.push_back(Value::tuple({key, value}));
  return view_of(runtime, "dict_items", std::move(items));
}

Value copy(Runtime&, const Value& self, Arguments& arguments) {
  Parameters parameters("copy", arguments, {});
  return self;
}

Value sequence_index(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("index", arguments, {"value", "start", "stop"}, 1);
  int64_t size = static_cast<int64_t>(self.items().size());
  auto bound = [&](size_t i, int64_t fallback) {
    int64_t at = parameters.integer(i, fallback);
    return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  };
  for (int64_t i = bound(1, 0); i < bound(2, size); ++i) {
    if (equals(runtime, self.items()[i], parameters[0])) return Value::integer(i, self.origin());
  }
  throw TemplateError("the value is not in the list");
}

Value sequence_count(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("count", arguments, {"value"}, 1);
  auto is_equal = [&](const Value& item) { return equals(runtime, item, parameters[0]); };
  return Value::integer(std::count_if(self.items().begin(), self.items().end(), is_equal), self.origin());
}

bool is_blocked(const Value& object, std::string_view name) {
  static constexpr std::array<std::string_view, 9> kDict = {"clear", "pop", "popitem", "setdefault", "update"};
  static constexpr std::array<std::string_view, 9> kList = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
  const auto& names = object.is_dict() ? kDict : kList;
  return (object.is_dict() || object.is_list()) && !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Function::Body dict_method(std::string_view name) {
  static const std::unordered_map<std::string_view, Function::Body> kMethods = {
      {"copy", copy}, {"get", dict_get}, {"items", dict_items}, {"keys", dict_keys}, {"values", dict_values}};
  auto found = kMethods.find(name);
  return found == kMethods.end() ? nullptr : found->second;
}

Function::Body sequence_method(std::string_view name) {
  if (name == "index") return sequence_index;
  if (name == "count") return sequence_count;
  return name == "copy" ? copy : nullptr;
}

bool get_method(const Value& object, std::string_view name, Value& out) {
  if (is_blocked(object, name)) {
    out = Value::undefined("access to attribute '" + std::string(name) + "' of '" + object.type_name() + "' object is unsafe.");
    return true;
  }
  Function::Body body = object.is_string()     ? string_method(name)
                        : object.is_dict()     ? dict_method(name)
                        : object.is_sequence() ? sequence_method(name)
                                               : nullptr;
  if (!body) return false;
  out = object.is_markup() ? markup_method(name, body, object) : Value::object(std::make_shared<Function>(body, object));
  return true;
}

}  // namespace atelier::tokenize::jinja
