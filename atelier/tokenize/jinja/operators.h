// Python's operators and protocols on Values: truth, equality, order, length, iteration, membership, arithmetic.
//
// Results carry the origin of what they were computed from; a mixture is never the template's.
#pragma once

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

enum class Arithmetic { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };

bool truthy(const Value& value);
bool equals(Runtime& runtime, const Value& a, const Value& b);
// a < b is compare(a, b) < 0 and so on; throws TypeError's message when Python cannot order them. `symbol` is for that message.
int compare(Runtime& runtime, const Value& a, const Value& b, const char* symbol = "<");
bool contains(Runtime& runtime, const Value& container, const Value& item);

// len(x), or false when x has none.
bool length_of(const Value& value, size_t& out);
bool is_iterable(const Value& value);
// list(x): characters of a string, keys of a dict. Empties a generator. Throws when x cannot be iterated.
Items iterate(Runtime& runtime, const Value& value);

Value arithmetic(Runtime& runtime, Arithmetic op, const Value& a, const Value& b);
Value negate(const Value& value);
Value positive(const Value& value);

// x.name, x[key] and x[start:stop:step]; what does not exist is undefined, as in Jinja's sandbox.
Value get_attribute(Runtime& runtime, const Value& object, std::string_view name);
Value get_item(Runtime& runtime, const Value& object, const Value& key);
Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);
// A method of a str, dict, list or tuple, or false. Those that would change the object are undefined and say so.
bool get_method(const Value& object, std::string_view name, Value& out);

Value call(Runtime& runtime, const Value& callee, Arguments& arguments);

// The origin of what depends on both.
inline Origin joint_origin(Origin a, Origin b) { return a != kTemplate ? a : b; }
inline Origin joint_origin(const Value& a, const Value& b) { return joint_origin(a.origin(), b.origin()); }

[[noreturn]] void fail_undefined(const Value& value);

}  // namespace atelier::tokenize::jinja
