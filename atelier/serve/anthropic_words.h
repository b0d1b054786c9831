// Anthropic's messages in terms of OpenAI's chat completions, and back.
#pragma once

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::serve {

// The body of a chat completion: `system`, blocks of text, tool_use, tool_result and thinking, `tools`, `tool_choice`, `thinking`,
// `stop_sequences`. Unsupported names a block that is none of these.
Result<Json> openai_body_of_messages(const Json& anthropic);

}  // namespace atelier::serve
