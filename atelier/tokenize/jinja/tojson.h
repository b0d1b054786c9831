// json.dumps(value, ensure_ascii, indent, separators, sort_keys), as the tojson filter of apply_chat_template calls it.
//
// A list or dict that came with the input is one run of its path: its quotes and brackets are the caller's too. What the template
// itself builds keeps its own punctuation, and each part inside its own origin.
#pragma once

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool is_indented = false;
  std::string indent;  // of one level
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

Value to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

}  // namespace atelier::tokenize::jinja
