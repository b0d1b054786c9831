#include "atelier/tokenize/json_pattern.h"

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {

Result<JsonPattern> parse_pattern(const Json& json, const std::string& name) {
  const Json* pattern = json.find("pattern");
  if (pattern != nullptr && pattern->is_string()) return JsonPattern{pattern->as_string(), false};
  if (pattern != nullptr && pattern->is_object()) {
    for (const char* kind : {"String", "Regex"}) {
      const Json* text = pattern->find(kind);
      if (text != nullptr && text->is_string()) return JsonPattern{text->as_string(), kind[0] == 'R'};
    }
  }
  return Status::corrupt(name + ": pattern is neither {\"String\": …} nor {\"Regex\": …}");
}

Result<const Json::Array*> get_array(const Json& json, const std::string& key, const std::string& name) {
  const Json* array = json.find(key);
  if (array == nullptr || !array->is_array()) return Status::corrupt(name + ": " + key + " is not an array");
  return &array->as_array();
}

Result<char32_t> get_character(const Json& json, const std::string& key, const std::string& name, char32_t fallback) {
  const std::string missing = fallback == 0 ? "" : text::to_utf8(fallback);
  ATELIER_TRY(const std::string value, json.get_string(key, missing));
  if (text::count_characters(value) != 1) return Status::corrupt(name + ": " + key + " is " + quoted(value) + ", want one character");
  size_t length = 0;
  return text::decode_utf8(value, 0, length);
}

Status check_depth(int depth, const std::string& name) {
  constexpr int kMaxDepth = 32;
  if (depth <= kMaxDepth) return {};
  return Status::out_of_range(name + ": sequences nest deeper than " + std::to_string(kMaxDepth));
}

std::string escape_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$#&-~ ").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace atelier::tokenize
