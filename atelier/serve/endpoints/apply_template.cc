// POST /apply-template: the prompt that the model's chat template makes of a conversation.
#include "atelier/serve/conversation.h"
#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  Conversation conversation;
  if (auto error = read_conversation(call.body, *model, false, conversation)) return error;
  call.send(Json::object().set("prompt", conversation.prompt.text));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_apply_template;
const EndpointDef endpoint_apply_template = {"POST", "/apply-template", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
