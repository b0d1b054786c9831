#include "atelier/tokenize/jinja/operators.h"

#include <algorithm>
#include <cstring>

#include "atelier/tokenize/jinja/objects.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

bool equal_items(Runtime& runtime, const Items& a, const Items& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const Value& x, const Value& y) { return equals(runtime, x, y); });
}

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const Dict::Entry& entry) {
    const Value* other = b.find(entry.first);
    return other != nullptr && equals(runtime, entry.second, *other);
  });
}

template <typename T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_items(Runtime& runtime, const Items& a, const Items& b, const char* symbol) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!equals(runtime, a[i], b[i])) return compare(runtime, a[i], b[i], symbol);
  }
  return order(a.size(), b.size());
}

Items characters(Runtime& runtime, const Text& text) {
  runtime.budget.step(text.length());
  Items items;
  items.reserve(text.length());
  for (size_t begin = 0; begin < text.size();) {
    size_t end = skip_code_points(text.view(), begin, 1);
    TextBuilder builder(runtime.budget);
    builder.append(text, begin, end);
    items.push_back(Value::string(builder.finish()));
    begin = end;
  }
  return items;
}

}  // namespace

void fail_undefined(const Value& value) { throw TemplateError(value.undefined_reason()); }

bool truthy(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kUndefined:
    case Value::Kind::kNone:
      return false;
    case Value::Kind::kBool:
      return value.as_bool();
    case Value::Kind::kInt:
      return value.as_int() != 0;
    case Value::Kind::kFloat:
      return value.as_double() != 0;
    case Value::Kind::kString:
      return value.text().size() != 0;
    case Value::Kind::kList:
    case Value::Kind::kTuple:
      return !value.items().empty();
    case Value::Kind::kDict:
      return value.dict().size() != 0;
    case Value::Kind::kObject:
      break;
  }
  auto iterable = value.object_as<Iterable>();
  return !iterable || iterable->iterable_kind() == Iterable::Kind::kGenerator || !iterable->items().empty();
}

bool equals(Runtime& runtime, const Value& a, const Value& b) {
  runtime.budget.step();
  if (a.is_number() && b.is_number()) {
    return a.is_integral() && b.is_integral() ? a.as_int() == b.as_int() : a.as_double() == b.as_double();
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::kString:
      if (a.text().size() != b.text().size()) return false;
      runtime.budget.work(a.text().size());
      return a.bytes() == b.bytes();
    case Value::Kind::kList:
    case Value::Kind::kTuple:
      return equal_items(runtime, a.items(), b.items());
    case Value::Kind::kDict:
      return equal_dicts(runtime, a.dict(), b.dict());
    case Value::Kind::kObject:
      return a.object() == b.object();
    default:
      return true;  // None, Undefined
  }
}

int compare(Runtime& runtime, const Value& a, const Value& b, const char* symbol) {
  runtime.budget.step();
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  if (a.is_integral() && b.is_integral()) return order(a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return order(a.as_double(), b.as_double());
  if (a.is_string() && b.is_string()) {
    runtime.budget.work(std::min(a.text().size(), b.text().size()));
    return order(a.bytes().compare(b.bytes()), 0);
  }
  if (a.is_sequence() && a.kind() == b.kind()) return compare_items(runtime, a.items(), b.items(), symbol);
  throw TemplateError(std::string("'") + symbol + "' not supported between instances of '" + a.type_name() + "' and '" + b.type_name() +
                      "'");
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (container.is_string()) {
    if (!item.is_string()) throw TemplateError("'in <string>' requires string as left operand, not " + item.type_name());
    const std::string &hay = container.bytes(), &needle = item.bytes();
    runtime.budget.work(hay.size());
    return needle.empty() || memmem(hay.data(), hay.size(), needle.data(), needle.size()) != nullptr;
  }
  if (container.is_dict()) return container.dict().find(item) != nullptr;
  if (!is_iterable(container)) throw TemplateError("argument of type '" + container.type_name() + "' is not iterable");
  Items copy;  // only what is no list has to be copied
  const Items& items = container.is_sequence() ? container.items() : (copy = iterate(runtime, container));
  return std::any_of(items.begin(), items.end(), [&](const Value& candidate) { return equals(runtime, candidate, item); });
}

bool length_of(const Value& value, size_t& out) {
  if (value.is_string()) {
    out = value.text().length();
  } else if (value.is_sequence()) {
    out = value.items().size();
  } else if (value.is_dict()) {
    out = value.dict().size();
  } else if (value.is_undefined()) {
    out = 0;
  } else if (auto iterable = value.object_as<Iterable>(); iterable && iterable->iterable_kind() != Iterable::Kind::kGenerator) {
    out = iterable->items().size();
  } else {
    return false;
  }
  return true;
}

bool is_iterable(const Value& value) {
  return value.is_string() || value.is_sequence() || value.is_dict() || value.is_undefined() || value.object_as<Iterable>() != nullptr;
}

Items iterate(Runtime& runtime, const Value& value) {
  Items items;
  if (value.is_string()) return characters(runtime, value.text());
  if (value.is_sequence()) {
    items = value.items();
  } else if (value.is_dict()) {
    for (const auto& [key, member] : value.dict().entries()) items.push_back(key);
  } else if (auto iterable = value.object_as<Iterable>()) {
    items = iterable->take();
  } else if (!value.is_undefined()) {
    throw TemplateError("'" + value.type_name() + "' object is not iterable");
  }
  runtime.budget.step(items.size());
  return items;
}

Value call(Runtime& runtime, const Value& callee, Arguments& arguments) {
  if (callee.is_undefined()) fail_undefined(callee);
  if (callee.kind() != Value::Kind::kObject) throw TemplateError("'" + callee.type_name() + "' object is not callable");
  return callee.object()->call(runtime, arguments);
}

}  // namespace atelier::tokenize::jinja
