// The functions that a template finds without being given them: range, dict, namespace, cycler, joiner, raise_exception and
// strftime_now, as apply_chat_template provides them.
#pragma once

#include <map>
#include <string>

#include "atelier/tokenize/jinja/value.h"

namespace atelier::tokenize::jinja {

std::map<std::string, Value, std::less<>> builtin_functions();

}  // namespace atelier::tokenize::jinja
