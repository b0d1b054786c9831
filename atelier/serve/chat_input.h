// From a conversation in OpenAI's shape to the prompt of a model.
#pragma once

#include "atelier/base/json.h"
#include "atelier/generate/chat_prompt.h"
#include "atelier/serve/served_model.h"

namespace atelier::serve {

struct ChatInput {
  Json messages;  // [{"role", "content": text, parts or null, …}]
  std::vector<generate::Tool> tools = {};
  Json extra = Json::object();  // further variables of the template: enable_thinking, …
  bool add_generation_prompt = true;
  bool continues_last = false;  // the answer goes on with the last message
};

// Content in parts becomes one text; a developer's message becomes the system's where the template knows no developer. Where the template
// has no place for tools, calls or results, they are told in words, in the model's format (generate/tool_format.h). Unsupported: a model
// without a chat template, parts that are no text.
Result<generate::ChatPrompt> chat_prompt_of(const ChatInput& input, const ServedModel& model);

// The conversation of a chat request's body.
ChatInput chat_input(const Json& body);

// `chat_template_kwargs` and `reasoning_effort` of a body as variables of the template.
Json template_variables(const Json& body);

}  // namespace atelier::serve
