// Jinja's tests: what stands after "is".
#pragma once

#include <string>

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

bool apply_test(Runtime& runtime, const std::string& name, const Value& value, Arguments& arguments);

}  // namespace atelier::tokenize::jinja
