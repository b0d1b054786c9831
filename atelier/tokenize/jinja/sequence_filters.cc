// Filters on lists, dicts and what else can be iterated.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/attribute_path.h"
#include "atelier/tokenize/jinja/filters.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/text_algorithms.h"

namespace atelier::tokenize::jinja {

namespace {

bool is_generator(const Value& value) {
  auto iterable = value.object_as<Iterable>();
  return iterable && iterable->iterable_kind() == Iterable::Kind::kGenerator;
}

Value length(Runtime&, const Value& value, Arguments& arguments) {
  Parameters parameters("length", arguments, {});
  size_t length = 0;
  if (!length_of(value, length)) throw TemplateError("object of type '" + value.type_name() + "' has no len()");
  return Value::integer(static_cast<int64_t>(length), value.origin());
}

Value first(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("first", arguments, {});
  Value item;
  if (auto iterable = value.object_as<Iterable>()) {
    if (iterable->take_first(item)) return item;
  } else if (value.is_string() && value.text().size() > 0) {
    return get_item(runtime, value, Value::integer(0)).as_plain();
  } else if (Items items = iterate(runtime, value); !items.empty()) {
    return items.front();
  }
  return Value::undefined("No first item, sequence was empty.");
}

Value last(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("last", arguments, {});
  if (is_generator(value)) throw TemplateError("'generator' object is not reversible");
  if (value.is_string() && value.text().size() > 0) return get_item(runtime, value, Value::integer(-1));
  Items items = iterate(runtime, value);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

Value join_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("join", arguments, {"d", "attribute"});
  AttributePath path(parameters[1]);
  Value separator = parameters.has(0) ? to_str(runtime, parameters[0]) : Value::constant("");
  Items items = iterate(runtime, value);
  for (Value& item : items) item = path.follow(runtime, item);
  return join(runtime, separator.text(), items);
}

Value list_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("list", arguments, {});
  return Value::list(iterate(runtime, value), value.is_sequence() ? value.origin() : kTemplate);
}

Value reverse(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("reverse", arguments, {});
  if (value.is_string()) return get_slice(runtime, value, Value(), Value(), Value::integer(-1));
  bool gives_list = is_generator(value);
  Items items = iterate(runtime, value);
  std::reverse(items.begin(), items.end());
  return gives_list ? Value::list(std::move(items)) : make_generator(std::move(items));
}

// Items with the keys that order them; sorting is stable, also in reverse.
using Keyed = std::vector<std::pair<Value, Value>>;

void sort_by_key(Runtime& runtime, Keyed& items, bool is_reverse) {
  std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
    return is_reverse ? compare(runtime, b.first, a.first) < 0 : compare(runtime, a.first, b.first) < 0;
  });
}

Items values_of(Keyed keyed) {
  Items items;
  for (auto& [key, value] : keyed) items.push_back(std::move(value));
  return items;
}

// attribute="age,name" sorts by several attributes at once.
Value sort(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  std::vector<AttributePath> paths;
  if (parameters[2].is_string()) {
    const Text& names = parameters.text(2);
    for (ByteRange name : split(runtime, names, &Value::constant(",").text(), -1, false)) {
      paths.emplace_back(substring(runtime, parameters[2], name));
    }
  } else {
    paths.emplace_back(parameters[2]);
  }
  Keyed keyed;
  for (Value& item : iterate(runtime, value)) {
    Items keys;
    for (const AttributePath& path : paths) {
      keys.push_back(comparison_key(runtime, path.follow(runtime, item), parameters.flag(1, false)));
    }
    keyed.emplace_back(Value::list(std::move(keys)), std::move(item));
  }
  sort_by_key(runtime, keyed, parameters.flag(0, false));
  return Value::list(values_of(std::move(keyed)));
}

Value dictsort(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  std::string by = parameters.has(1) ? parameters.text(1).bytes() : "key";
  if (by != "key" && by != "value") throw TemplateError("You can only sort by either \"key\" or \"value\"");
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_dict()) throw TemplateError("'" + value.type_name() + "' object has no attribute 'items'");
  Keyed keyed;
  runtime.budget.step(value.dict().size());
  for (const auto& [key, member] : value.dict().entries()) {
    keyed.emplace_back(comparison_key(runtime, by == "key" ? key : member, parameters.flag(0, false)), Value::tuple({key, member}));
  }
  sort_by_key(runtime, keyed, parameters.flag(2, false));
  return Value::list(values_of(std::move(keyed)));
}

Value unique(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("unique", arguments, {"case_sensitive", "attribute"});
  AttributePath path(parameters[1]);
  std::set<std::string> seen;
  Items items;
  for (Value& item : iterate(runtime, value)) {
    Value key = comparison_key(runtime, path.follow(runtime, item), parameters.flag(0, false));
    if (seen.insert(hash_key(key)).second) items.push_back(std::move(item));
  }
  return make_generator(std::move(items));
}

template <bool kIsMax>
Value extreme(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters(kIsMax ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  AttributePath path(parameters[1]);
  Items items = iterate(runtime, value);
  if (items.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  auto key_of = [&](const Value& item) { return comparison_key(runtime, path.follow(runtime, item), parameters.flag(0, false)); };
  size_t best = 0;
  Value best_key = key_of(items[0]);
  for (size_t i = 1; i < items.size(); ++i) {
    Value key = key_of(items[i]);
    bool is_better = kIsMax ? compare(runtime, key, best_key, ">") > 0 : compare(runtime, key, best_key, "<") < 0;
    if (!is_better) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

Value items_filter(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("items", arguments, {});
  Items items;
  if (value.is_undefined()) return make_generator({});
  if (!value.is_dict()) throw TemplateError("Can only get item pairs from a mapping.");
  runtime.budget.step(value.dict().size());
  for (const auto& [key, member] : value.dict().entries()) items.push_back(Value::tuple({key, member}));
  return make_generator(std::move(items));
}

Value batch(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("batch", arguments, {"linecount", "fill_with"}, 1);
  int64_t size = parameters.integer(0, 1);
  Items batches, current;
  for (Value& item : iterate(runtime, value)) {
    if (static_cast<int64_t>(current.size()) == size) batches.push_back(Value::list(std::exchange(current, {})));
    current.push_back(std::move(item));
  }
  if (!current.empty() && !parameters[1].is_none()) {
    while (static_cast<int64_t>(current.size()) < size) {
      runtime.budget.step();
      current.push_back(parameters[1]);
    }
  }
  if (!current.empty()) batches.push_back(Value::list(std::move(current)));
  return make_generator(std::move(batches));
}

Value slice(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("slice", arguments, {"slices", "fill_with"}, 1);
  int64_t num_slices = parameters.integer(0, 1);
  Items items = iterate(runtime, value);
  if (num_slices == 0) throw TemplateError("integer division or modulo by zero");
  int64_t size = static_cast<int64_t>(items.size()), begin = 0;
  Items slices;
  for (int64_t i = 0; i < num_slices; ++i) {
    runtime.budget.step();
    bool has_extra = i < size % num_slices;
    int64_t end = begin + size / num_slices + has_extra;
    Items part(items.begin() + begin, items.begin() + end);
    if (!has_extra && !parameters[1].is_none()) part.push_back(parameters[1]);
    slices.push_back(Value::list(std::move(part)));
    begin = end;
  }
  return make_generator(std::move(slices));
}

Value groupby(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  AttributePath path(parameters[0]);
  std::optional<Value> fallback;
  if (!parameters[1].is_none()) fallback = parameters[1];
  Keyed keyed;
  for (Value& item : iterate(runtime, value)) {
    keyed.emplace_back(comparison_key(runtime, path.follow(runtime, item, fallback), parameters.flag(2, false)), std::move(item));
  }
  sort_by_key(runtime, keyed, false);
  Items groups;
  for (size_t begin = 0; begin < keyed.size();) {
    size_t end = begin;
    Items members;
    while (end < keyed.size() && equals(runtime, keyed[end].first, keyed[begin].first)) members.push_back(keyed[end++].second);
    Value key = path.follow(runtime, members[0], fallback);  // as spelt by the first member
    groups.push_back(Value::group(std::move(key), Value::list(std::move(members))));
    begin = end;
  }
  return Value::list(std::move(groups));
}

Value default_filter(Runtime&, const Value& value, Arguments& arguments) {
  Parameters parameters("default", arguments, {"default_value", "boolean"});
  bool is_replaced = value.is_undefined() || (parameters.flag(1, false) && !truthy(value));
  if (!is_replaced) return value;
  return parameters.has(0) ? parameters[0] : Value::constant("");
}

Value attr(Runtime& runtime, const Value& value, Arguments& arguments) {
  Parameters parameters("attr", arguments, {"name"}, 1);
  Value member;
  std::string name = parameters.text(0).bytes();
  bool is_object = value.kind() == Value::Kind::kObject;
  if (is_object ? value.object()->get_attribute(runtime, name, member) : get_method(value, name, member)) return member;
  return Value::undefined("'" + value.type_name() + " object' has no attribute '" + name + "'");
}

}  // namespace

Function::Body sequence_filter(std::string_view name) {
  static const std::unordered_map<std::string_view, Function::Body> kFilters = {
      {"attr", attr},         {"batch", batch},   {"count", length},     {"d", default_filter},   {"default", default_filter},
      {"dictsort", dictsort}, {"first", first},   {"groupby", groupby},  {"items", items_filter}, {"join", join_filter},
      {"last", last},         {"length", length}, {"list", list_filter}, {"max", extreme<true>},  {"min", extreme<false>},
      {"reverse", reverse},   {"slice", slice},   {"sort", sort},        {"unique", unique},
  };
  auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace atelier::tokenize::jinja
