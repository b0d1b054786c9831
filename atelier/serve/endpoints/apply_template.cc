// POST /apply-template: the prompt that the model's chat template makes of a conversation.
#include "atelier/serve/chat_input.h"
#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/tool_request.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  const auto tools = tool_request(call.body);
  if (!tools.ok()) return api_error(tools.status(), "tools");
  ChatInput input = chat_input(call.body);
  input.tools = tools->tools;
  const auto prompt = chat_prompt_of(input, *model);
  if (!prompt.ok()) return api_error(prompt.status(), "messages");
  call.send(Json::object().set("prompt", prompt->text));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_apply_template;
const EndpointDef endpoint_apply_template = {"POST", "/apply-template", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
