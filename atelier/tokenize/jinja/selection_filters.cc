// map, select, reject, selectattr and rejectattr: filters that apply another filter or test to every item.
#include <algorithm>

#include "atelier/tokenize/jinja/attribute_path.h"
#include "atelier/tokenize/jinja/filters.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/tests.h"

namespace atelier::tokenize::jinja {

namespace {

std::string name_argument(const Arguments& arguments, size_t i, const char* filter) {
  if (i >= arguments.positional.size() || !arguments.positional[i].is_string()) {
    throw TemplateError(std::string(filter) + " requires a filter, test or attribute name");
  }
  return arguments.positional[i].bytes();
}

Arguments without_first(const Arguments& arguments, size_t count) {
  Arguments rest;
  rest.positional.assign(arguments.positional.begin() + count, arguments.positional.end());
  rest.keyword = arguments.keyword;
  return rest;
}

Value map_attribute(Runtime& runtime, const Value& value, const Arguments& arguments) {
  std::optional<AttributePath> path;
  std::optional<Value> fallback;
  for (const auto& [name, argument] : arguments.keyword) {
    if (name == "attribute") {
      path.emplace(argument);
    } else if (name == "default") {
      if (!argument.is_none()) fallback = argument;
    } else {
      throw TemplateError("Unexpected keyword argument '" + name + "'");
    }
  }
  if (!path) throw TemplateError("map requires a filter argument");
  Items items = iterate(runtime, value);
  for (Value& item : items) item = path->follow(runtime, item, fallback);
  return make_generator(std::move(items));
}

Value map(Runtime& runtime, const Value& value, Arguments& arguments) {
  if (!truthy(value)) return make_generator({});
  if (arguments.positional.empty()) return map_attribute(runtime, value, arguments);
  std::string filter = name_argument(arguments, 0, "map");
  Items items = iterate(runtime, value);
  for (Value& item : items) {
    Arguments rest = without_first(arguments, 1);
    item = apply_filter(runtime, filter, item, rest);
  }
  return make_generator(std::move(items));
}

template <bool kKeeps, bool kByAttribute>
Value select(Runtime& runtime, const Value& value, Arguments& arguments) {
  if (!truthy(value)) return make_generator({});
  AttributePath path;
  if (kByAttribute) {
    if (arguments.positional.empty()) throw TemplateError("Missing parameter for attribute name");
    path = AttributePath(arguments.positional[0]);
  }
  constexpr size_t kTest = kByAttribute ? 1 : 0;  // where the name of the test stands
  bool has_test = arguments.positional.size() > kTest;
  std::string test = has_test ? name_argument(arguments, kTest, "select") : std::string();
  Items chosen;
  for (Value& item : iterate(runtime, value)) {
    Value subject = path.follow(runtime, item);
    Arguments rest = has_test ? without_first(arguments, kTest + 1) : Arguments();
    bool holds = has_test ? apply_test(runtime, test, subject, rest) : truthy(subject);
    if (holds == kKeeps) chosen.push_back(std::move(item));
  }
  return make_generator(std::move(chosen));
}

}  // namespace

Function::Body selection_filter(std::string_view name) {
  if (name == "map") return map;
  if (name == "select") return select<true, false>;
  if (name == "reject") return select<false, false>;
  if (name == "selectattr") return select<true, true>;
  return name == "rejectattr" ? select<false, true> : nullptr;
}

}  // namespace atelier::tokenize::jinja
