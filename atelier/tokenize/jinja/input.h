// Makes the variables of a template from the caller's JSON, giving every string and number its path as origin.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

// `json` as a value whose origins are `name`, "name[0]", "name[0].content", …
Value value_from_json(Runtime& runtime, const Json& json, const std::string& name);

// The messages as apply_chat_template passes them on: a message's reasoning under all the names that templates read it by. The roles
// that templates know ("user", …) have the template's origin.
Value messages_from_json(Runtime& runtime, const Json& messages);

}  // namespace atelier::tokenize::jinja
