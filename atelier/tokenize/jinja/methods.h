// Methods of built-in values, found by name; null when the type has no such method.
#pragma once

#include <string_view>

#include "atelier/tokenize/jinja/objects.h"

namespace atelier::tokenize::jinja {

Function::Body string_method(std::string_view name);
Function::Body dict_method(std::string_view name);
Function::Body sequence_method(std::string_view name);  // list and tuple

// Whether all cased characters of the text are wanted ones, and there is one: str.isupper() and str.islower().
bool is_all_cased(Runtime& runtime, const Text& text, bool (*is_wanted)(char32_t));

}  // namespace atelier::tokenize::jinja
