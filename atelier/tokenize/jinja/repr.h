// Python's str(), repr() and float formatting, with origins kept.
#pragma once

#include <string>

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

// What {{ value }} prints. Printing what Python would show as a memory address is an error.
void append_str(Runtime& runtime, TextBuilder& out, const Value& value);
Value to_str(Runtime& runtime, const Value& value);  // str(value)

void append_repr(Runtime& runtime, TextBuilder& out, const Value& value);
std::string repr_bytes(Runtime& runtime, const Value& value);

// repr(d): the shortest text that reads back the same, "1e+16" from 1e16 on and "1e-05" below 1e-4.
std::string float_repr(double d);

}  // namespace atelier::tokenize::jinja
