// The parts of which grammars for JSON are made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/generate/grammar/expression.h"

namespace atelier::generate {

// What may stand between two parts: nothing, a space, or a line break with at most 20 blanks.
Expression json_space();

// One character of a string, as it may be written: any but quote, backslash and control characters; or an escape.
Expression json_character();
// The same without \u, so that a written character is a code point.
Expression json_plain_character();
Expression json_string();  // with its quotes
Expression json_number();
Expression json_integer();
// The integers from min to max, without leading zeros; max - min may be anything.
Expression json_integer_between(int64_t min, int64_t max);

// What spells, inside a JSON string, a text that `expression` spells: sets and literals with their quotes, backslashes and control
// characters escaped.
Expression escaped_for_json(const Expression& expression);

// The content of a string that is none of `names`, which have no characters that JSON escapes.
Expression json_text_other_than(const std::vector<std::string>& names);

}  // namespace atelier::generate
