// JSON values with error messages that name the path.
//
// Parsing is nlohmann-json's (hidden in json.cc, so that this header stays cheap); numbers keep whether they were integers, objects
// keep the order of their keys, depth and size are bounded. `Json` is a plain value: copyable, comparable, printable.
//
//   ATELIER_TRY(Json config, Json::parse(text, "config.json"));
//   ATELIER_TRY(int64_t width, config.get_int("hidden_size"));     // `hidden_size: is "x", want an integer`
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "atelier/base/status.h"

namespace atelier {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  // insertion order; a repeated key keeps its first place and its last value

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool b) : value_(b) {}
  Json(int i) : value_(static_cast<int64_t>(i)) {}
  Json(int64_t i) : value_(i) {}
  Json(uint32_t i) : value_(static_cast<int64_t>(i)) {}
  Json(uint64_t i) : value_(static_cast<int64_t>(i)) {}
  Json(double d) : value_(d) {}
  Json(const char* s) : value_(std::string(s)) {}
  Json(std::string s) : value_(std::move(s)) {}
  Json(std::string_view s) : value_(std::string(s)) {}
  Json(Array a) : value_(std::move(a)) {}
  Json(Object o) : value_(std::move(o)) {}
  static Json array() { return Array{}; }
  static Json object() { return Object{}; }

  // Parses the whole of `text`. `name` stands in error messages. Refuses more than `max_depth` nested arrays and objects.
  // Accepts NaN and Infinity nowhere; invalid UTF-8 is an error.
  static Result<Json> parse(std::string_view text, const std::string& name, int max_depth = 128);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Direct access; the caller has checked the kind (InternalError otherwise). as_double also takes integers.
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  Array& as_array();
  const Object& as_object() const;
  Object& as_object();

  // The member `key`, or null when there is none or this is no object.
  const Json* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  // The member `key` of the asked kind. Errors name the key and show what was found. `get_x(key, fallback)` gives the fallback
  // when the key is absent or null, and still refuses a wrong kind. Numbers: get_int takes 3 and 3.0, not 3.5.
  Result<bool> get_bool(std::string_view key) const;
  Result<int64_t> get_int(std::string_view key) const;
  Result<double> get_double(std::string_view key) const;
  Result<std::string> get_string(std::string_view key) const;
  Result<bool> get_bool(std::string_view key, bool fallback) const;
  Result<int64_t> get_int(std::string_view key, int64_t fallback) const;
  Result<double> get_double(std::string_view key, double fallback) const;
  Result<std::string> get_string(std::string_view key, const std::string& fallback) const;

  Json& set(std::string_view key, Json value);  // adds or replaces a member; null becomes an object first. Returns *this
  Json& push_back(Json value);                  // null becomes an array first. Returns *this

  // One line, or indented by `indent` spaces when it is positive. Doubles print the shortest text that reads back the same;
  // NaN and infinities print as null. Non-ASCII text is kept as UTF-8; invalid bytes become U+FFFD.
  std::string dump(int indent = 0) const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

}  // namespace atelier
