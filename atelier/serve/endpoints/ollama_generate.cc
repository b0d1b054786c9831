// POST /api/generate: Ollama's completion. The prompt is a message to the model's chat template; with `raw` it is the text itself.
#include "atelier/generate/infilling.h"
#include "atelier/serve/chat_plan.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

void wrap(Json& line, const std::string& content, const std::string& thinking) {
  line.set("response", content);
  if (!thinking.empty()) line.set("thinking", thinking);
}

// The prompt itself goes on, without a template; with `suffix` up to it.
std::optional<ApiError> run_raw(Call& call, ServedModel& model, const Json& body) {
  const std::string prompt = text_or(call.body, "prompt", ""), suffix = text_or(call.body, "suffix", "");
  const auto ids = suffix.empty() ? model.tokenizer().encode_ids(prompt) : generate::infilling_prompt(model.tokenizer(), prompt, suffix);
  if (!ids.ok()) return api_error(ids.status(), suffix.empty() ? "prompt" : "suffix");
  auto options = generation_options(body, model);
  if (!options.ok()) return api_error(options.status());
  if (const Status status = limit_context(call.body, model, ids->size(), *options); !status.ok())
    return api_error(status, "options.num_ctx");
  if (const Status status = constrain(body, model, *options); !status.ok()) return api_error(status, "format");
  std::vector<AnswerSpec> specs = {{*ids, *options, false, true}};
  return run_answers(call, model, std::move(specs), std::make_shared<OllamaWriter>(call, model, wrap));
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(ollama_model_name(call.body), model)) return error;
  if (text_or(call.body, "prompt", "").empty()) {
    call.send(ollama_nothing_said(call.body, *model, wrap));
    return std::nullopt;
  }
  Json body = openai_body(call.body);
  const bool fills_in = !text_or(call.body, "suffix", "").empty();
  if (fills_in || flag_or(call.body, "raw", false) || model->chat_template() == nullptr) return run_raw(call, *model, body);
  Json messages = Json::array();
  if (const std::string system = text_or(call.body, "system", ""); !system.empty())
    messages.push_back(Json::object().set("role", "system").set("content", system));
  messages.push_back(Json::object().set("role", "user").set("content", text_or(call.body, "prompt", "")));
  body.set("messages", std::move(messages));
  ChatPlan plan;
  if (auto error = plan_chat(body, *model, plan)) return error;
  AnswerSpec& spec = plan.specs[0];
  if (const Status status = limit_context(call.body, *model, spec.prompt.size(), spec.options); !status.ok())
    return api_error(status, "options.num_ctx");
  return run_answers(call, *model, std::move(plan.specs), std::make_shared<OllamaWriter>(call, *model, wrap));
}

}  // namespace

extern const EndpointDef endpoint_ollama_generate;
const EndpointDef endpoint_ollama_generate = {"POST", "/api/generate", Shape::kOllama, false, handle};

}  // namespace atelier::serve
