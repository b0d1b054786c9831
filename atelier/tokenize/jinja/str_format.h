// "{} of {name}".format(...): the replacement fields of Python's str.format, as the sandbox allows them.
#pragma once

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

Value str_format(Runtime& runtime, const Text& format, const Arguments& arguments);

}  // namespace atelier::tokenize::jinja
