// POST /api/chat: Ollama's conversation.
#include "atelier/generate/thoughts.h"
#include "atelier/serve/chat_input.h"
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
  if (auto error = call.find_model(ollama_model_name(call.body), model)) return error;
  if (call.body.find("messages")->as_array().empty()) {
    call.send(ollama_nothing_said(call.body, *model, wrap));
    return std::nullopt;
  }
  const Json body = openai_body(call.body);
  const auto prompt = chat_prompt_of(chat_input(body), *model);
  if (!prompt.ok()) return api_error(prompt.status(), "messages");
  auto options = generation_options(body, *model);
  if (!options.ok()) return api_error(options.status());
  if (const Status status = limit_context(call.body, *model, prompt->ids.size(), *options); !status.ok())
    return api_error(status, "options.num_ctx");
  if (const Status status = constrain(body, *model, *options); !status.ok()) return api_error(status, "format");
  std::vector<AnswerSpec> specs = {{prompt->ids, *options, false, true, generate::ends_inside_thought(prompt->text)}};
  return run_answers(call, *model, std::move(specs), std::make_shared<OllamaWriter>(call, *model, wrap));
}

}  // namespace

extern const EndpointDef endpoint_ollama_chat;
const EndpointDef endpoint_ollama_chat = {"POST", "/api/chat", Shape::kOllama, false, handle};

}  // namespace atelier::serve
