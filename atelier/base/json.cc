#include "atelier/base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier {
namespace {

// "syntax error while parsing value - unexpected end of input; expected ..." as one short printable line: the parser quotes what it
// read last, which may be megabytes or invalid UTF-8.
std::string short_reason(const std::string& what) {
  constexpr size_t kLimit = 160;
  const size_t dash = what.find(" - ");
  std::string reason = what.substr(dash == std::string::npos ? 0 : dash + 3, kLimit);
  for (char& c : reason) {
    if (c < 0x20 || c == 0x7f) c = '?';
  }
  return reason;
}

std::string line_and_column(std::string_view text, size_t position) {
  const std::string_view before = text.substr(0, position == 0 ? 0 : std::min(position - 1, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_start = before.rfind('\n');
  const size_t column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Gives a repeated key its last value in its first place. Linear, since vocabularies are objects of 200,000 keys.
void merge_repeated_keys(Json::Object& object) {
  if (object.size() < 2) return;
  std::unordered_map<std::string_view, size_t> first_place;
  first_place.reserve(object.size());
  std::vector<bool> repeated(object.size(), false);
  bool any = false;
  for (size_t i = 0; i < object.size(); ++i) {
    const auto [place, is_new] = first_place.try_emplace(object[i].first, i);
    if (is_new) continue;
    object[place->second].second = std::move(object[i].second);
    repeated[i] = any = true;
  }
  if (!any) return;
  Json::Object kept;
  for (size_t i = 0; i < object.size(); ++i) {
    if (!repeated[i]) kept.push_back(std::move(object[i]));
  }
  object = std::move(kept);
}

// Receives nlohmann's parse events and builds the value. Open containers stand on a stack of our own, so that depth is checked
// before it costs anything and nothing here recurses.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, int max_depth) : text_(text), max_depth_(static_cast<size_t>(std::max(max_depth, 0))) {}

  bool null() override { return add(Json()); }
  bool boolean(bool b) override { return add(Json(b)); }
  bool number_integer(number_integer_t i) override { return add(Json(static_cast<int64_t>(i))); }
  bool number_unsigned(number_unsigned_t u) override {
    return u <= static_cast<number_unsigned_t>(INT64_MAX) ? add(Json(static_cast<int64_t>(u))) : add(Json(static_cast<double>(u)));
  }
  bool number_float(number_float_t d, const string_t&) override { return add(Json(d)); }
  bool string(string_t& s) override { return add(Json(std::move(s))); }
  bool binary(binary_t&) override { return false; }  // not in JSON text
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool key(string_t& name) override {
    open_.back().as_object().emplace_back(std::move(name), Json());
    return true;
  }
  bool end_object() override {
    merge_repeated_keys(open_.back().as_object());
    return close();
  }
  bool end_array() override { return close(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& e) override {
    status_ = Status::corrupt("not JSON at " + line_and_column(text_, position) + ": " + short_reason(e.what()));
    return false;
  }

  const Status& status() const { return status_; }
  Json take_root() { return std::move(root_); }

 private:
  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().as_array().push_back(std::move(value));
    } else {
      open_.back().as_object().back().second = std::move(value);
    }
    return true;
  }
  bool open(Json container) {
    if (open_.size() >= max_depth_) {
      status_ = Status::out_of_range("JSON nested deeper than " + std::to_string(max_depth_) + " arrays and objects");
      return false;
    }
    open_.push_back(std::move(container));
    return true;
  }
  bool close() {
    Json value = std::move(open_.back());
    open_.pop_back();
    return add(std::move(value));
  }

  std::string_view text_;
  size_t max_depth_;
  std::vector<Json> open_;
  Json root_;
  Status status_;
};

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  ATELIER_CHECK(error == std::errc());
  const std::string_view text(digits, static_cast<size_t>(end - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";  // still a double when it is read again
}

void append_string(std::string& out, const std::string& s) {
  out += nlohmann::json(s).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_line_break(std::string& out, int indent, int depth) {
  if (indent <= 0) return;
  out += '\n';
  out.append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
}

void append_json(std::string& out, const Json& value, int indent, int depth);

void append_array(std::string& out, const Json::Array& array, int indent, int depth) {
  out += '[';
  for (size_t i = 0; i < array.size(); ++i) {
    if (i) out += indent > 0 ? "," : ", ";
    append_line_break(out, indent, depth + 1);
    append_json(out, array[i], indent, depth + 1);
  }
  if (!array.empty()) append_line_break(out, indent, depth);
  out += ']';
}

void append_object(std::string& out, const Json::Object& object, int indent, int depth) {
  out += '{';
  for (size_t i = 0; i < object.size(); ++i) {
    if (i) out += indent > 0 ? "," : ", ";
    append_line_break(out, indent, depth + 1);
    append_string(out, object[i].first);
    out += ": ";
    append_json(out, object[i].second, indent, depth + 1);
  }
  if (!object.empty()) append_line_break(out, indent, depth);
  out += '}';
}

void append_json(std::string& out, const Json& value, int indent, int depth) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.as_int());
  } else if (value.is_number()) {
    append_double(out, value.as_double());
  } else if (value.is_string()) {
    append_string(out, value.as_string());
  } else if (value.is_array()) {
    append_array(out, value.as_array(), indent, depth);
  } else {
    append_object(out, value.as_object(), indent, depth);
  }
}

template <typename Kind, typename Variant>
auto& checked_get(Variant& value, const char* kind) {
  if (auto* held = std::get_if<Kind>(&value)) return *held;
  throw InternalError(std::string("Json value read as ") + kind + ", which it is not");
}

// What stands at a key, short enough for an error line.
std::string shown(const Json& value) {
  if (value.is_array()) return "an array of " + std::to_string(value.as_array().size());
  if (value.is_object()) return "an object";
  if (value.is_string()) return atelier::quoted(value.as_string());
  return value.dump();
}

Status missing(std::string_view key, const char* want) { return Status::not_found(std::string(key) + ": missing, want " + want); }
Status wrong_kind(std::string_view key, const Json& found, const char* want) {
  return Status::invalid(std::string(key) + ": is " + shown(found) + ", want " + want);
}

// The readers of one kind each: the value, or nothing when it is of another kind.
constexpr const char* kWantBool = "true or false";
constexpr const char* kWantInt = "an integer";
constexpr const char* kWantDouble = "a number";
constexpr const char* kWantString = "a string";

std::optional<bool> to_bool(const Json& v) { return v.is_bool() ? std::optional(v.as_bool()) : std::nullopt; }
std::optional<double> to_double(const Json& v) { return v.is_number() ? std::optional(v.as_double()) : std::nullopt; }
std::optional<std::string> to_string(const Json& v) { return v.is_string() ? std::optional(v.as_string()) : std::nullopt; }
std::optional<int64_t> to_int(const Json& v) {
  if (v.is_int()) return v.as_int();
  if (!v.is_number()) return std::nullopt;
  const double d = v.as_double();
  if (d != std::trunc(d) || d < -0x1p63 || d >= 0x1p63) return std::nullopt;
  return static_cast<int64_t>(d);
}

template <typename T>
Result<T> get(const Json& object, std::string_view key, const char* want, std::optional<T> (*convert)(const Json&)) {
  const Json* found = object.find(key);
  if (!found) return missing(key, want);
  if (std::optional<T> value = convert(*found)) return *std::move(value);
  return wrong_kind(key, *found, want);
}

template <typename T>
Result<T> get_or(const Json& object, std::string_view key, const char* want, std::optional<T> (*convert)(const Json&), T fallback) {
  const Json* found = object.find(key);
  if (!found || found->is_null()) return fallback;
  return get<T>(object, key, want, convert);
}

}  // namespace

Result<Json> Json::parse(std::string_view text, const std::string& name, int max_depth) {
  Builder builder(text, max_depth);
  const bool ok = nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &builder);
  if (!ok) return builder.status().with_context(name);
  return builder.take_root();
}

bool Json::as_bool() const { return checked_get<bool>(value_, "a bool"); }
int64_t Json::as_int() const { return checked_get<int64_t>(value_, "an integer"); }
double Json::as_double() const {
  if (is_int()) return static_cast<double>(as_int());
  return checked_get<double>(value_, "a number");
}
const std::string& Json::as_string() const { return checked_get<std::string>(value_, "a string"); }
const Json::Array& Json::as_array() const { return checked_get<Array>(value_, "an array"); }
Json::Array& Json::as_array() { return checked_get<Array>(value_, "an array"); }
const Json::Object& Json::as_object() const { return checked_get<Object>(value_, "an object"); }
Json::Object& Json::as_object() { return checked_get<Object>(value_, "an object"); }

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : as_object()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

Result<bool> Json::get_bool(std::string_view key) const { return get<bool>(*this, key, kWantBool, to_bool); }
Result<int64_t> Json::get_int(std::string_view key) const { return get<int64_t>(*this, key, kWantInt, to_int); }
Result<double> Json::get_double(std::string_view key) const { return get<double>(*this, key, kWantDouble, to_double); }
Result<std::string> Json::get_string(std::string_view key) const { return get<std::string>(*this, key, kWantString, to_string); }
Result<bool> Json::get_bool(std::string_view key, bool fallback) const { return get_or<bool>(*this, key, kWantBool, to_bool, fallback); }
Result<int64_t> Json::get_int(std::string_view key, int64_t fallback) const {
  return get_or<int64_t>(*this, key, kWantInt, to_int, fallback);
}
Result<double> Json::get_double(std::string_view key, double fallback) const {
  return get_or<double>(*this, key, kWantDouble, to_double, fallback);
}
Result<std::string> Json::get_string(std::string_view key, const std::string& fallback) const {
  return get_or<std::string>(*this, key, kWantString, to_string, fallback);
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  for (Member& member : as_object()) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  as_object().emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  as_array().push_back(std::move(value));
  return *this;
}

std::string Json::dump(int indent) const {
  std::string out;
  append_json(out, *this, indent, 0);
  return out;
}

}  // namespace atelier
