#include "atelier/generate/grammar/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "atelier/base/strings.h"
#include "atelier/generate/grammar/json_grammar.h"
#include "atelier/generate/grammar/regex_rules.h"
#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

using E = Expression;

constexpr int kMaxSchemaDepth = 40;
constexpr int64_t kMaxCount = 10'000;              // of items or characters
constexpr int64_t kLargest = 999'999'999'999'999;  // where an integer has no bound: fifteen digits

const std::set<std::string_view> kIgnored = {"title", "description", "default",    "examples", "$schema",   "$id",    "$comment",
                                             "$defs", "definitions", "deprecated", "readOnly", "writeOnly", "$anchor"};
const std::map<std::string_view, std::set<std::string_view>> kKeywordsOfType = {
    {"object", {"properties", "required", "additionalProperties"}},
    {"array", {"items", "prefixItems", "minItems", "maxItems"}},
    {"string", {"minLength", "maxLength", "pattern", "format"}},
    {"integer", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}},
    {"number", {}},
    {"boolean", {}},
    {"null", {}},
};

const std::map<std::string_view, std::string_view> kFormats = {
    {"date", R"((\d{4})-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))"},
    {"time", R"(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    {"date-time",
     R"((\d{4})-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    {"uuid", R"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"},
    {"ipv4", R"(((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))"},
};

E quoted_text(E content) { return E::sequence({E::literal("\""), std::move(content), E::literal("\"")}); }

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Json& schema) : schema_(schema) { rules_.push_back({"root", {}}); }

  Result<std::vector<GrammarRule>> run() {
    ATELIER_TRY(E root, of(schema_, "#", 0));
    rules_[0].expression = std::move(root);
    return std::move(rules_);
  }

  // Rules that are made when they are first asked for, so that a grammar holds them once.
  E shared(const std::string& name, E (*make)()) {
    const auto [found, is_new] = shared_.emplace(name, static_cast<int32_t>(rules_.size()));
    if (is_new) rules_.push_back({name, make()});
    return E::reference(found->second);
  }
  E space() { return shared("space", json_space); }

  // Any JSON value.
  E any() {
    const auto [found, is_new] = shared_.emplace("value", static_cast<int32_t>(rules_.size()));
    const int32_t rule = found->second;
    if (is_new) {
      rules_.push_back({"value", {}});
      E members = member_list(E::sequence({shared("string", json_string), E::literal(":"), space(), E::reference(rule)}), 0, kUnbounded);
      E items = member_list(E::reference(rule), 0, kUnbounded);
      rules_[static_cast<size_t>(rule)].expression =
          E::choice({bracketed("{", std::move(members), "}"), bracketed("[", std::move(items), "]"), shared("string", json_string),
                     shared("number", json_number), E::literal("true"), E::literal("false"), E::literal("null")});
    }
    return E::reference(rule);
  }

 private:
  static Status refuse(const std::string& path, const std::string& what) {
    return Status::invalid(fmt::format("JSON schema: {}: {}", path, what));
  }

  E bracketed(const char* open, E content, const char* close) {
    return E::sequence({E::literal(open), space(), std::move(content), space(), E::literal(close)});
  }
  E comma() { return E::sequence({space(), E::literal(","), space()}); }

  // item ("," item)*, min to max of them.
  E member_list(E item, uint32_t min, uint32_t max) {
    if (max == 0) return E::literal("");
    E more = E::repeat(E::sequence({comma(), item}), min > 0 ? min - 1 : 0, max == kUnbounded ? kUnbounded : max - 1);
    E list = E::sequence({std::move(item), std::move(more)});
    return min == 0 ? E::optional(std::move(list)) : list;
  }

  Result<E> of(const Json& schema, const std::string& path, int depth) {
    if (depth > kMaxSchemaDepth) return refuse(path, fmt::format("nested more than {} deep", kMaxSchemaDepth));
    if (schema.is_bool()) return schema.as_bool() ? Result<E>(any()) : Result<E>(refuse(path, "false allows no value"));
    if (!schema.is_object()) return refuse(path, "is no schema; want an object, true or false");
    for (const char* keyword : {"$ref", "enum", "const", "anyOf", "oneOf", "allOf"}) {
      const Json* value = schema.find(keyword);
      if (value == nullptr) continue;
      ATELIER_RETURN_IF_ERROR(check_alone(schema, keyword, path));
      const std::string inner = path + "/" + keyword;
      if (keyword == std::string_view("$ref")) return reference(*value, inner);
      if (keyword == std::string_view("enum")) return one_of_values(*value, inner);
      if (keyword == std::string_view("const")) return E::literal(value->dump());
      return alternatives(*value, keyword, inner, depth);
    }
    return typed(schema, path, depth);
  }

  // Keywords that decide the whole value stand beside what describes only, or beside a type that they repeat.
  static Status check_alone(const Json& schema, std::string_view keyword, const std::string& path) {
    for (const auto& [key, value] : schema.as_object()) {
      const bool is_idle_type = key == "type" && (keyword == "enum" || keyword == "const");
      if (key != keyword && !kIgnored.contains(key) && !is_idle_type)
        return refuse(path, fmt::format("{} beside {} is not supported", quoted(key), keyword));
    }
    return {};
  }

  Result<E> reference(const Json& pointer, const std::string& path) {
    if (!pointer.is_string() || !pointer.as_string().starts_with("#"))
      return refuse(path, "must point into this document, such as #/$defs/name");
    const std::string target = pointer.as_string();
    if (const auto found = references_.find(target); found != references_.end()) return E::reference(found->second);
    const Json* at = &schema_;
    for (size_t begin = 1; begin < target.size();) {
      const size_t end = std::min(target.find('/', begin + 1), target.size());
      std::string key = target.substr(begin + 1, end - begin - 1);
      key = replaced(replaced(key, "~1", "/"), "~0", "~");
      const Json* next = at->find(key);
      if (next == nullptr && at->is_array()) {
        const auto index = parse_int(key);
        if (index && *index >= 0 && static_cast<size_t>(*index) < at->as_array().size())
          next = &at->as_array()[static_cast<size_t>(*index)];
      }
      if (next == nullptr) return refuse(path, quoted(target) + " is not there");
      at = next;
      begin = end;
    }
    const auto rule = static_cast<int32_t>(rules_.size());
    references_.emplace(target, rule);
    rules_.push_back({quoted(target), {}});
    ATELIER_TRY(E expression, of(*at, target, 0));
    rules_[static_cast<size_t>(rule)].expression = std::move(expression);
    return E::reference(rule);
  }

  static std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
    return text;
  }

  static Result<E> one_of_values(const Json& values, const std::string& path) {
    if (!values.is_array() || values.as_array().empty()) return refuse(path, "must be a list with at least one value");
    std::vector<E> choices;
    for (const Json& value : values.as_array()) choices.push_back(E::literal(value.dump()));
    return E::choice(std::move(choices));
  }

  Result<E> alternatives(const Json& schemas, std::string_view keyword, const std::string& path, int depth) {
    if (!schemas.is_array() || schemas.as_array().empty()) return refuse(path, "must be a list with at least one schema");
    const Json::Array& list = schemas.as_array();
    if (keyword == "allOf" && list.size() > 1) return refuse(path, "more than one schema is not supported");
    std::vector<E> choices;
    for (size_t i = 0; i < list.size(); ++i) {
      for (size_t j = 0; keyword == "oneOf" && j < i; ++j) {
        if (!exclude_each_other(list[i], list[j])) return refuse(path, "alternatives that may both hold are not supported; use anyOf");
      }
      ATELIER_TRY(E choice, of(list[i], fmt::format("{}/{}", path, i), depth + 1));
      choices.push_back(std::move(choice));
    }
    return E::choice(std::move(choices));
  }

  // Certainly no value fits both: other types, or objects with a required member of other constants.
  static bool exclude_each_other(const Json& a, const Json& b) {
    const auto type_of = [](const Json& schema) {
      const Json* type = schema.find("type");
      return type != nullptr && type->is_string() ? (type->as_string() == "integer" ? "number" : type->as_string()) : std::string();
    };
    if (const std::string x = type_of(a), y = type_of(b); !x.empty() && !y.empty() && x != y) return true;
    const Json *first = a.find("properties"), *second = b.find("properties");
    if (first == nullptr || second == nullptr || !first->is_object()) return false;
    const auto requires_member = [](const Json& schema, const std::string& name) {
      const Json* required = schema.find("required");
      return required != nullptr && required->is_array() &&
             std::find(required->as_array().begin(), required->as_array().end(), Json(name)) != required->as_array().end();
    };
    return std::any_of(first->as_object().begin(), first->as_object().end(), [&](const Json::Member& member) {
      const Json* other = second->find(member.first);
      if (other == nullptr || !requires_member(a, member.first) || !requires_member(b, member.first)) return false;
      const Json *x = member.second.find("const"), *y = other->find("const");
      return x != nullptr && y != nullptr && !(*x == *y);
    });
  }

  // The first that restricts.
  static std::string unsupported_keyword(const Json& schema) {
    const Json::Object& members = schema.as_object();
    return std::find_if(members.begin(), members.end(), [](const Json::Member& member) { return !kIgnored.contains(member.first); })->first;
  }

  Result<E> typed(const Json& schema, const std::string& path, int depth) {
    const Json* type = schema.find("type");
    std::vector<std::string> types;
    if (type == nullptr) {
      const bool restricts = std::any_of(schema.as_object().begin(), schema.as_object().end(),
                                         [](const Json::Member& member) { return !kIgnored.contains(member.first); });
      if (!restricts) return any();
      for (const auto& [name, keywords] : kKeywordsOfType) {
        if (std::any_of(keywords.begin(), keywords.end(), [&](std::string_view keyword) { return schema.contains(keyword); }))
          types.emplace_back(name);
      }
      if (types.empty()) return refuse(path, quoted(unsupported_keyword(schema)) + " is not supported");
      if (types.size() > 1) return refuse(path, "state a type");
    } else {
      for (const Json& name : type->is_array() ? type->as_array() : Json::Array{*type}) {
        if (!name.is_string() || !kKeywordsOfType.contains(name.as_string())) return refuse(path, "unknown type " + name.dump());
        types.push_back(name.as_string());
      }
      if (types.empty()) return refuse(path, "type is an empty list");
    }
    for (const auto& [key, value] : schema.as_object()) {
      const bool is_known = key == "type" || kIgnored.contains(key) ||
                            std::any_of(types.begin(), types.end(),
                                        [&, &key = key](const std::string& name) { return kKeywordsOfType.at(name).contains(key); });
      if (!is_known) return refuse(path, fmt::format("{} is not supported for {}", quoted(key), join(types, ", ")));
    }
    std::vector<E> choices;
    for (const std::string& name : types) {
      ATELIER_TRY(E choice, of_type(name, schema, path, depth));
      choices.push_back(std::move(choice));
    }
    return choices.size() == 1 ? std::move(choices[0]) : E::choice(std::move(choices));
  }

  Result<E> of_type(const std::string& type, const Json& schema, const std::string& path, int depth) {
    if (type == "object") return object(schema, path, depth);
    if (type == "array") return array(schema, path, depth);
    if (type == "string") return string(schema, path);
    if (type == "integer") return integer(schema, path);
    if (type == "number") return shared("number", json_number);
    if (type == "boolean") return E::choice({E::literal("true"), E::literal("false")});
    return E::literal("null");
  }

  static Result<int64_t> count(const Json& schema, std::string_view key, int64_t fallback, const std::string& path) {
    const Result<int64_t> value = schema.get_int(key, fallback);
    if (!value.ok() || *value < 0 || (*value > kMaxCount && *value != fallback)) {
      return refuse(path, fmt::format("{} must be a whole number from 0 to {}", key, kMaxCount));
    }
    return *value;
  }

  Result<E> array(const Json& schema, const std::string& path, int depth) {
    ATELIER_TRY(const int64_t min, count(schema, "minItems", 0, path));
    ATELIER_TRY(const int64_t max, count(schema, "maxItems", kUnbounded, path));
    if (max < min) return refuse(path, "maxItems is below minItems");
    const Json* items = schema.find("items");
    const Json* prefix = schema.find("prefixItems");
    const bool has_more = items == nullptr || !items->is_bool() || items->as_bool();
    std::vector<E> first;
    if (prefix != nullptr) {
      if (!prefix->is_array()) return refuse(path, "prefixItems must be a list");
      for (size_t i = 0; i < prefix->as_array().size(); ++i) {
        ATELIER_TRY(E item, of(prefix->as_array()[i], fmt::format("{}/prefixItems/{}", path, i), depth + 1));
        first.push_back(std::move(item));
      }
    }
    E item;
    if (has_more) {
      ATELIER_TRY(item, items == nullptr ? Result<E>(any()) : of(*items, path + "/items", depth + 1));
    }
    const auto num_first = static_cast<int64_t>(first.size());
    if (!has_more && min > num_first) return refuse(path, "minItems is above the number of prefixItems, and items is false");
    if (num_first == 0) {
      const auto largest = static_cast<uint32_t>(has_more ? max : 0);
      return bracketed("[", member_list(std::move(item), static_cast<uint32_t>(min), largest), "]");
    }
    // From the last item to the first: each may be followed by the next, and must be while fewer than `min` stand before it.
    E rest = E::literal("");
    if (has_more && max > num_first) {
      const auto needed = static_cast<uint32_t>(std::max<int64_t>(0, min - num_first));
      rest = E::repeat(E::sequence({comma(), std::move(item)}), needed,
                       max == kUnbounded ? kUnbounded : static_cast<uint32_t>(max - num_first));
    }
    for (int64_t i = num_first - 1; i >= 0; --i) {
      E part = i == 0 ? E::sequence({std::move(first[0]), std::move(rest)})
                      : E::sequence({comma(), std::move(first[static_cast<size_t>(i)]), std::move(rest)});
      if (i >= max) part = E::literal("");
      rest = i < min ? std::move(part) : E::optional(std::move(part));
    }
    return bracketed("[", std::move(rest), "]");
  }

  Result<E> string(const Json& schema, const std::string& path) {
    const Json *pattern = schema.find("pattern"), *format = schema.find("format");
    const bool has_length = schema.contains("minLength") || schema.contains("maxLength");
    if ((pattern != nullptr) + (format != nullptr) + has_length > 1)
      return refuse(path, "pattern, format and lengths together are not supported");
    if (pattern != nullptr || format != nullptr) {
      const Json& named = pattern != nullptr ? *pattern : *format;
      if (!named.is_string()) return refuse(path, "pattern and format must be texts");
      std::string regex = named.as_string();
      if (format != nullptr) {
        const auto found = kFormats.find(regex);
        if (found == kFormats.end()) return refuse(path, fmt::format("format {} is not supported", quoted(regex)));
        regex = "^(" + std::string(found->second) + ")$";
      }
      auto read = regex_expression(regex);
      if (!read.ok()) return refuse(path, read.status().message());
      const E anything = E::repeat(json_plain_character(), 0, kUnbounded);
      std::vector<E> parts;
      if (!read->begins) parts.push_back(anything);
      parts.push_back(escaped_for_json(read->expression));
      if (!read->ends) parts.push_back(anything);
      return quoted_text(E::sequence(std::move(parts)));
    }
    if (!has_length) return shared("string", json_string);
    ATELIER_TRY(const int64_t min, count(schema, "minLength", 0, path));
    ATELIER_TRY(const int64_t max, count(schema, "maxLength", kUnbounded, path));
    if (max < min) return refuse(path, "maxLength is below minLength");
    return quoted_text(E::repeat(shared("character", json_plain_character), static_cast<uint32_t>(min), static_cast<uint32_t>(max)));
  }

  static Result<E> integer(const Json& schema, const std::string& path) {
    const auto bound = [&](const char* inclusive, const char* exclusive, int64_t step, int64_t fallback) -> Result<int64_t> {
      int64_t value = fallback;
      for (const char* key : {inclusive, exclusive}) {
        if (!schema.contains(key)) continue;
        const Result<int64_t> stated = schema.get_int(key);
        if (!stated.ok() || *stated > kLargest || *stated < -kLargest)
          return refuse(path, fmt::format("{} must be an integer of at most 15 digits", key));
        const int64_t limit = *stated + (key == exclusive ? step : 0);
        value = step > 0 ? std::max(value, limit) : std::min(value, limit);
      }
      return value;
    };
    ATELIER_TRY(const int64_t min, bound("minimum", "exclusiveMinimum", 1, -kLargest));
    ATELIER_TRY(const int64_t max, bound("maximum", "exclusiveMaximum", -1, kLargest));
    if (min > max) return refuse(path, "no integer lies within the bounds");
    return json_integer_between(min, max);
  }

  struct Property {
    E expression;  // "name": value
    bool is_required;
  };

  Result<E> object(const Json& schema, const std::string& path, int depth) {
    const Json *properties = schema.find("properties"), *additional = schema.find("additionalProperties"),
               *required = schema.find("required");
    std::set<std::string> needed;
    if (required != nullptr) {
      if (!required->is_array()) return refuse(path, "required must be a list of names");
      for (const Json& name : required->as_array()) {
        if (!name.is_string()) return refuse(path, "required must be a list of names");
        needed.insert(name.as_string());
      }
    }
    std::vector<Property> members;
    std::vector<std::string> names;
    if (properties != nullptr) {
      if (!properties->is_object()) return refuse(path, "properties must be an object");
      for (const auto& [name, value] : properties->as_object()) {
        ATELIER_TRY(E expression, of(value, path + "/properties/" + name, depth + 1));
        members.push_back({E::sequence({E::literal(Json(name).dump() + ":"), space(), std::move(expression)}), needed.erase(name) > 0});
        names.push_back(name);
      }
    }
    if (!needed.empty()) return refuse(path, fmt::format("required names {}, which is not among the properties", quoted(*needed.begin())));
    const bool is_open = additional != nullptr ? !additional->is_bool() || additional->as_bool() : members.empty();
    E others = E::literal("");
    if (is_open) {
      if (std::any_of(names.begin(), names.end(), [](const std::string& name) { return Json(name).dump().size() != name.size() + 2; })) {
        return refuse(path, "additionalProperties beside names with quotes, backslashes or control characters is not supported");
      }
      ATELIER_TRY(E value, additional == nullptr ? Result<E>(any()) : of(*additional, path + "/additionalProperties", depth + 1));
      E key = names.empty() ? shared("string", json_string) : quoted_text(json_text_other_than(names));
      others = E::sequence({std::move(key), E::literal(":"), space(), std::move(value)});
    }
    return bracketed("{", in_order(std::move(members), is_open, std::move(others)), "}");
  }

  // The members in their order, each left out if it may be, with commas between those that are there; then any number of others. Rule i,
  // behind(i), is what may stand behind a member before member i.
  E in_order(std::vector<Property> members, bool is_open, E others) {
    const auto first_behind = static_cast<int32_t>(rules_.size());
    const size_t n = members.size();
    for (size_t i = 0; i <= n; ++i) rules_.push_back({fmt::format("behind member {}", i), {}});
    const auto behind = [&](size_t i) { return E::reference(first_behind + static_cast<int32_t>(i)); };
    rules_[static_cast<size_t>(first_behind) + n].expression =
        is_open ? E::repeat(E::sequence({comma(), others}), 0, kUnbounded) : E::literal("");
    for (size_t i = n; i-- > 0;) {
      E with = E::sequence({comma(), members[i].expression, behind(i + 1)});
      rules_[static_cast<size_t>(first_behind) + i].expression =
          members[i].is_required ? std::move(with) : E::choice({std::move(with), behind(i + 1)});
    }
    // The first member that is there: any up to the first that must be.
    std::vector<E> begins;
    size_t i = 0;
    for (; i < n; ++i) {
      begins.push_back(E::sequence({members[i].expression, behind(i + 1)}));
      if (members[i].is_required) return E::choice(std::move(begins));
    }
    begins.push_back(is_open ? E::optional(E::sequence({std::move(others), behind(n)})) : E::literal(""));
    return E::choice(std::move(begins));
  }

  const Json& schema_;
  std::vector<GrammarRule> rules_;
  std::map<std::string, int32_t> shared_, references_;
};

}  // namespace

Result<std::vector<GrammarRule>> json_schema_rules(const Json& schema) { return SchemaCompiler(schema).run(); }

std::vector<GrammarRule> json_object_rules() {
  static const Json kObject = Json::object().set("type", "object");
  return json_schema_rules(kObject).value();
}

}  // namespace atelier::generate
