#include "atelier/serve/schema_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "atelier/base/strings.h"

namespace atelier::serve {
namespace {

constexpr std::array kRestricting = {
    "type",  "enum",  "const", "minimum",    "maximum",  "exclusiveMinimum",     "minLength", "maxLength", "minItems", "maxItems",
    "items", "anyOf", "oneOf", "properties", "required", "additionalProperties", "allOf",     "$ref"};
constexpr std::array kDescribing = {"description", "default", "example", "examples", "title", "format", "deprecated"};

// Code points of valid UTF-8.
int64_t num_characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

bool is_whole(const Json& value) {
  return value.is_int() ||
         (value.is_number() && std::abs(value.as_double()) < 0x1p62 && std::floor(value.as_double()) == value.as_double());
}

bool is_of_type(const Json& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

const char* with_article(const std::string& type) {
  if (type == "null") return "null";
  if (type == "boolean") return "true or false";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  if (type == "string") return "a string";
  return type == "array" ? "an array" : "an object";
}

// Of one check: the document, and where in the value it is.
class Checker {
 public:
  explicit Checker(const Json& document) : document_(document) {}

  std::optional<SchemaFault> check(const Json& value, const Json& schema, const std::string& path) const {
    if (const Json* reference = schema.find("$ref")) return check(value, resolve(reference->as_string()), path);
    if (auto fault = check_type(value, schema, path)) return fault;
    if (auto fault = check_alternatives(value, schema, path)) return fault;
    if (auto fault = check_bounds(value, schema, path)) return fault;
    if (value.is_array()) return check_items(value, schema, path);
    if (value.is_object()) return check_members(value, schema, path);
    return std::nullopt;
  }

 private:
  static std::optional<SchemaFault> fault(const Json& value, const std::string& path, const std::string& want) {
    return SchemaFault{path, fmt::format("{}: is {}, must be {}", path.empty() ? "the body" : path, shown(value), want)};
  }
  static std::string shown(const Json& value) {
    if (value.is_array()) return "an array";
    if (value.is_object()) return "an object";
    return value.is_string() ? quoted(value.as_string(), 40) : value.dump();
  }

  const Json& resolve(const std::string& reference) const {
    const Json* at = &document_;
    for (const std::string_view part : split(std::string_view(reference).substr(2), '/')) at = at->find(part);
    return *at;
  }

  std::optional<SchemaFault> check_type(const Json& value, const Json& schema, const std::string& path) const {
    const Json* type = schema.find("type");
    if (type == nullptr) return std::nullopt;
    std::vector<std::string> wants;
    for (const Json& one : type->is_array() ? type->as_array() : Json::Array{*type}) {
      if (is_of_type(value, one.as_string())) return std::nullopt;
      wants.emplace_back(with_article(one.as_string()));
    }
    return fault(value, path, join(wants, " or "));
  }

  std::optional<SchemaFault> check_alternatives(const Json& value, const Json& schema, const std::string& path) const {
    if (const Json* all = schema.find("allOf")) {
      for (const Json& one : all->as_array()) {
        if (auto found = check(value, one, path)) return found;
      }
    }
    const Json* any = schema.find("anyOf") != nullptr ? schema.find("anyOf") : schema.find("oneOf");
    if (any == nullptr) return std::nullopt;
    // The fault that lies deepest, and among those the one furthest on, tells most: of the alternative that was meant.
    std::optional<SchemaFault> deepest;
    std::vector<std::string> wants;
    for (const Json& one : any->as_array()) {
      auto found = check(value, one, path);
      if (!found) return std::nullopt;
      if (found->path == path) wants.push_back(found->message.substr(found->message.find("must be ") + 8));
      const auto depth = [](const std::string& at) { return std::pair(at.size(), std::string_view(at)); };
      if (!deepest || depth(found->path) > depth(deepest->path)) deepest = std::move(found);
    }
    return deepest->path == path ? fault(value, path, join(wants, " or ")) : deepest;
  }

  std::optional<SchemaFault> check_bounds(const Json& value, const Json& schema, const std::string& path) const {
    if (const Json* choices = schema.find("enum")) {
      const auto& allowed = choices->as_array();
      if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
        std::vector<std::string> names;
        for (const Json& choice : allowed) names.push_back(choice.dump());
        return fault(value, path, (names.size() > 1 ? "one of " : "") + join(names, ", "));
      }
    }
    if (const Json* constant = schema.find("const"); constant != nullptr && value != *constant) return fault(value, path, constant->dump());
    if (value.is_number()) {
      const Json *low = schema.find("minimum"), *high = schema.find("maximum"), *above = schema.find("exclusiveMinimum");
      if (low != nullptr && !(value.as_double() >= low->as_double())) return fault(value, path, "at least " + low->dump());
      if (above != nullptr && !(value.as_double() > above->as_double())) return fault(value, path, "above " + above->dump());
      if (high != nullptr && !(value.as_double() <= high->as_double())) return fault(value, path, "at most " + high->dump());
    }
    if (value.is_string()) return check_size(num_characters(value.as_string()), "Length", "characters", schema, value, path);
    if (value.is_array()) return check_size(static_cast<int64_t>(value.as_array().size()), "Items", "items", schema, value, path);
    return std::nullopt;
  }

  static std::optional<SchemaFault> check_size(int64_t size, const std::string& keyword, const char* unit, const Json& schema,
                                               const Json& value, const std::string& path) {
    const Json *low = schema.find("min" + keyword), *high = schema.find("max" + keyword);
    if (low != nullptr && size < low->as_int())
      return fault(value, path, fmt::format("of at least {} {} (it has {})", low->as_int(), unit, size));
    if (high != nullptr && size > high->as_int())
      return fault(value, path, fmt::format("of at most {} {} (it has {})", high->as_int(), unit, size));
    return std::nullopt;
  }

  std::optional<SchemaFault> check_items(const Json& value, const Json& schema, const std::string& path) const {
    const Json* items = schema.find("items");
    if (items == nullptr) return std::nullopt;
    const auto& array = value.as_array();
    for (size_t i = 0; i < array.size(); ++i) {
      if (auto found = check(array[i], *items, fmt::format("{}[{}]", path, i))) return found;
    }
    return std::nullopt;
  }

  std::optional<SchemaFault> check_members(const Json& value, const Json& schema, const std::string& path) const {
    const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
    const Json* required = schema.find("required");
    const auto is_required = [&](const std::string& key) {
      return required != nullptr &&
             std::find(required->as_array().begin(), required->as_array().end(), Json(key)) != required->as_array().end();
    };
    if (required != nullptr) {
      for (const Json& key : required->as_array()) {
        if (!value.contains(key.as_string())) {
          return SchemaFault{below(key.as_string()), fmt::format("{}: is missing, it is needed", below(key.as_string()))};
        }
      }
    }
    const Json *properties = schema.find("properties"), *others = schema.find("additionalProperties");
    for (const auto& [key, member] : value.as_object()) {
      const Json* of_member = properties != nullptr ? properties->find(key) : nullptr;
      if (of_member == nullptr && others != nullptr && others->is_object()) of_member = others;
      if (of_member == nullptr || (member.is_null() && !is_required(key))) continue;
      if (auto found = check(member, *of_member, below(key))) return found;
    }
    return std::nullopt;
  }

  const Json& document_;
};

}  // namespace

std::optional<SchemaFault> check_schema(const Json& value, const Json& schema, const Json& document) {
  return Checker(document).check(value, schema, "");
}

Status check_keywords(const Json& schema) {
  if (!schema.is_object()) return {};
  for (const auto& [key, value] : schema.as_object()) {
    const auto is_in = [&](const auto& words) { return std::find(words.begin(), words.end(), std::string_view(key)) != words.end(); };
    if (!is_in(kRestricting) && !is_in(kDescribing))
      return Status::unsupported("schema: the keyword " + key + " is not known; extend schema_check");
    if (key == "properties") {
      for (const auto& [name, member] : value.as_object()) ATELIER_RETURN_IF_ERROR(check_keywords(member));
    } else if (key == "items" || key == "additionalProperties") {
      ATELIER_RETURN_IF_ERROR(check_keywords(value));
    } else if (key == "anyOf" || key == "oneOf" || key == "allOf") {
      for (const Json& one : value.as_array()) ATELIER_RETURN_IF_ERROR(check_keywords(one));
    }
  }
  return {};
}

}  // namespace atelier::serve
