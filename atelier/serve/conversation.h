// A conversation with its tools, as the body of a chat request states them, and the prompt that it makes.
#pragma once

#include <optional>

#include "atelier/generate/chat_prompt.h"
#include "atelier/serve/api_error.h"
#include "atelier/serve/served_model.h"
#include "atelier/serve/tool_request.h"

namespace atelier::serve {

struct Conversation {
  ToolRequest tools;
  generate::ChatPrompt prompt;
  int64_t num_cut = 0;  // messages that were left out
};

// With `may_cut`, and `truncate` in the body, the oldest turns are left out of a prompt that the context does not hold, as few as make it
// fit: what is left begins with a message of the user, and messages of the system stay. One that no turn can be left out of comes whole.
std::optional<ApiError> read_conversation(const Json& body, const ServedModel& model, bool may_cut, Conversation& out);

}  // namespace atelier::serve
