// The filters of Jinja that chat templates use, by name.
//
// Left out, with an error that says so: random, urlize, xmlattr, pprint, striptags, wordwrap, urlencode, filesizeformat.
#pragma once

#include <string>
#include <string_view>

#include "atelier/tokenize/jinja/objects.h"

namespace atelier::tokenize::jinja {

Value apply_filter(Runtime& runtime, const std::string& name, const Value& operand, Arguments& arguments);

// By family; null when the name is not one of them.
Function::Body text_filter(std::string_view name);
Function::Body number_filter(std::string_view name);
Function::Body sequence_filter(std::string_view name);
Function::Body selection_filter(std::string_view name);

}  // namespace atelier::tokenize::jinja
