// Checks a JSON value against a schema of the OpenAPI file, so that what the file says about requests is what is done.
//
// Known: type (also a list), enum, const, minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems, items, properties,
// required, additionalProperties (a schema), anyOf, oneOf, allOf, $ref within the document. What only describes is ignored; members that
// the schema does not name are allowed, as the APIs' clients send more than a server knows. A member that is null and not required counts
// as absent.
#pragma once

#include <optional>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::serve {

struct SchemaFault {
  std::string path;     // "messages[0].role"; empty: the value itself
  std::string message;  // `messages[0].role: is 3, must be a string`
};

// `document` is where "#/components/…" leads. Nothing when the value is as it should be.
std::optional<SchemaFault> check_schema(const Json& value, const Json& schema, const Json& document);

// Unsupported names a keyword of `schema` that check_schema does not know, anywhere below it.
Status check_keywords(const Json& schema);

}  // namespace atelier::serve
