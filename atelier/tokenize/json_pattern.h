// Small readers that the parts of a tokenizer.json share. Internal to tokenize/.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::tokenize {

// {"String": "…"} or {"Regex": "…"}, or a plain string, under "pattern".
struct JsonPattern {
  std::string text;
  bool is_regex = false;
};
Result<JsonPattern> parse_pattern(const Json& json, const std::string& name);

Result<const Json::Array*> get_array(const Json& json, const std::string& key, const std::string& name);

// The one character of the string under `key`; `fallback` when it is absent and a fallback is given.
Result<char32_t> get_character(const Json& json, const std::string& key, const std::string& name, char32_t fallback = 0);

// Sequences inside sequences: deeper than anyone nests them is refused.
Status check_depth(int depth, const std::string& name);

// `text` as a regular expression that matches it literally.
std::string escape_regex(std::string_view text);

}  // namespace atelier::tokenize
