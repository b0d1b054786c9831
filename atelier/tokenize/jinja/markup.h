// Strings that |safe and |escape mark as HTML (Python's markupsafe.Markup).
//
// Nothing is escaped when it is printed, since autoescape is off. But an operation that joins a marked string with a plain one escapes
// the plain one and marks the result, and real templates run into that: `(schema | tojson | safe) + "<"` ends in "&lt;".
#pragma once

#include <string_view>

#include "atelier/tokenize/jinja/objects.h"

namespace atelier::tokenize::jinja {

// `&<>'"` as entities; what is marked already stays as it is. The result is marked.
Value escaped(Runtime& runtime, const Value& value);

// `result`, marked when `model` is. Strings inside a list or tuple are marked one by one.
Value marked_like(const Value& model, Value result);

// "…" % values for a marked format: the values are escaped.
Value escaped_operands(Runtime& runtime, const Value& values);

// A method of a marked string: escapes the arguments that end up in its result, and marks that.
Value markup_method(std::string_view name, Function::Body body, const Value& receiver);

}  // namespace atelier::tokenize::jinja
