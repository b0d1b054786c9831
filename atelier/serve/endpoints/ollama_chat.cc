// POST /api/chat: Ollama's conversation.
#include "atelier/serve/chat_plan.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

void wrap(Json& line, const std::string& content, const std::string& thinking) {
  Json message = Json::object().set("role", "assistant").set("content", content);
  if (!thinking.empty()) message.set("thinking", thinking);
  line.set("message", std::move(message));
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(ollama_model_name(call.body), model)) return error;
  if (call.body.find("messages")->as_array().empty()) {
    call.send(ollama_nothing_said(call.body, *model, wrap));
    return std::nullopt;
  }
  Json body = openai_body(call.body);
  for (const char* same : {"messages", "tools", "truncate"}) {
    if (const Json* value = call.body.find(same)) body.set(same, *value);
  }
  ChatPlan plan;
  if (auto error = plan_chat(body, *model, plan)) return error;
  AnswerSpec& spec = plan.specs[0];
  if (const Status status = limit_context(call.body, *model, spec.prompt.size(), spec.options); !status.ok())
    return api_error(status, "options.num_ctx");
  return run_answers(call, *model, std::move(plan.specs), std::make_shared<OllamaWriter>(call, *model, wrap, plan.num_cut));
}

}  // namespace

extern const EndpointDef endpoint_ollama_chat;
const EndpointDef endpoint_ollama_chat = {"POST", "/api/chat", Shape::kOllama, false, handle};

}  // namespace atelier::serve
