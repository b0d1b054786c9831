// POST /v1/messages/count_tokens: how long the prompt of a conversation is.
#include "atelier/serve/anthropic_words.h"
#include "atelier/serve/chat_input.h"
#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/tool_request.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(call.body, "model", ""), model)) return error;
  const auto body = openai_body_of_messages(call.body);
  if (!body.ok()) return api_error(body.status(), "messages");
  const auto tools = tool_request(*body);
  if (!tools.ok()) return api_error(tools.status(), "tools");
  ChatInput input = chat_input(*body);
  input.tools = tools->tools;
  const auto prompt = chat_prompt_of(input, *model);
  if (!prompt.ok()) return api_error(prompt.status(), "messages");
  call.send(Json::object().set("input_tokens", static_cast<int64_t>(prompt->ids.size())));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_messages_count_tokens;
const EndpointDef endpoint_messages_count_tokens = {"POST", "/v1/messages/count_tokens", Shape::kAnthropic, false, handle};

}  // namespace atelier::serve
