// Parts of messages that the APIs write alike: texts in pieces, functions.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::serve {

// Content that is text: a string, null (no text), or a list of parts of type text, which are joined by line breaks. Unsupported names a
// part of another type by `path`.
Result<std::string> text_of_parts(const Json& content, const std::string& path);

// One of OpenAI's `tools` from a tool of another API, whose parameters stand under `schema_key`.
Json function_tool(const Json& tool, const char* schema_key);

}  // namespace atelier::serve
