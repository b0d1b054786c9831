// POST /v1/messages/count_tokens: how long the prompt of a conversation is.
#include "atelier/serve/anthropic_words.h"
#include "atelier/serve/conversation.h"
#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(call.body, "model", ""), model)) return error;
  const auto body = openai_body_of_messages(call.body);
  if (!body.ok()) return api_error(body.status(), "messages");
  Conversation conversation;
  if (auto error = read_conversation(*body, *model, false, conversation)) return error;
  call.send(Json::object().set("input_tokens", static_cast<int64_t>(conversation.prompt.ids.size())));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_messages_count_tokens;
const EndpointDef endpoint_messages_count_tokens = {"POST", "/v1/messages/count_tokens", Shape::kAnthropic, false, handle};

}  // namespace atelier::serve
