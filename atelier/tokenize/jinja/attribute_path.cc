#include "atelier/tokenize/jinja/attribute_path.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/text_algorithms.h"

namespace atelier::tokenize::jinja {

AttributePath::AttributePath(const Value& attribute) {
  if (attribute.is_none()) return;
  if (!attribute.is_string()) {
    steps_.push_back(attribute);
    return;
  }
  for (std::string_view step : atelier::split(attribute.bytes(), '.')) {
    bool is_index = !step.empty() && std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
    auto index = is_index ? parse_int(step) : std::nullopt;
    steps_.push_back(index ? Value::integer(*index) : Value::constant(std::string(step)));
  }
}

Value AttributePath::follow(Runtime& runtime, const Value& item, const std::optional<Value>& fallback) const {
  Value value = item;
  for (const Value& step : steps_) {
    value = get_item(runtime, value, step);
    if (fallback && value.is_undefined()) value = *fallback;
  }
  return value;
}

Value comparison_key(Runtime& runtime, const Value& value, bool is_case_sensitive) {
  return value.is_string() && !is_case_sensitive ? change_case(runtime, value.text(), Case::kLower) : value;
}

}  // namespace atelier::tokenize::jinja
