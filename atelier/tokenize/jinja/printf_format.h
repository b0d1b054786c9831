// "%s of %d" % values: Python's printf-style formatting.
#pragma once

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

// `values` is a tuple of arguments, a dict for "%(name)s", or the single argument.
Value printf_format(Runtime& runtime, const Text& format, const Value& values);

}  // namespace atelier::tokenize::jinja
