// JSON schemas (2020-12) as grammars: every text of the grammar is a document that the schema accepts.
//
// Supported   type (also a list), enum, const, anyOf, oneOf whose alternatives cannot both hold, allOf of one, $ref within the document;
//             objects: properties, required, additionalProperties;  arrays: items, prefixItems, minItems, maxItems;
//             strings: minLength, maxLength, pattern (grammar/regex.h), format date, time, date-time, uuid, ipv4;
//             integers: minimum, maximum, exclusiveMinimum, exclusiveMaximum
// Ignored     what describes and does not restrict: title, description, default, examples, $comment, …
// Refused     everything else, by name: an answer is never less restricted than asked
// Properties come in the order of the schema; others only where additionalProperties is stated. White space between the parts is one space
// or one line break with at most 20 blanks; numbers have at most 16 digits before and behind the point.
#pragma once

#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/grammar/grammar.h"

namespace atelier::generate {

Result<std::vector<GrammarRule>> json_schema_rules(const Json& schema);

// Any JSON object: `response_format: json_object`.
std::vector<GrammarRule> json_object_rules();

}  // namespace atelier::generate
