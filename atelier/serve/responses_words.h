// OpenAI's responses in terms of its chat completions.
#pragma once

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::serve {

// The body of a chat completion: `instructions`, items of `input` (messages, function_call, function_call_output, reasoning), `tools`,
// `text.format`, `reasoning.effort`. Unsupported names what needs a state or is not known.
Result<Json> openai_body_of_responses(const Json& body);

}  // namespace atelier::serve
