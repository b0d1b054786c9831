// POST /api/generate: Ollama's completion. The prompt is a message to the model's chat template; with `raw` it is the text itself.
#include "atelier/generate/thoughts.h"
#include "atelier/serve/chat_input.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

void wrap(Json& line, const std::string& content, const std::string& thinking) {
  line.set("response", content);
  if (!thinking.empty()) line.set("thinking", thinking);
}

Result<generate::ChatPrompt> prompt_of(const Json& body, const ServedModel& model) {
  const std::string text = text_or(body, "prompt", "");
  if (flag_or(body, "raw", false) || model.chat_template() == nullptr) {
    ATELIER_TRY(auto ids, model.tokenizer().encode_ids(text));
    return generate::ChatPrompt{text, std::move(ids)};
  }
  ChatInput input{Json::array(), {}, template_variables(openai_body(body))};
  if (const std::string system = text_or(body, "system", ""); !system.empty()) {
    input.messages.push_back(Json::object().set("role", "system").set("content", system));
  }
  input.messages.push_back(Json::object().set("role", "user").set("content", text));
  return chat_prompt_of(input, model);
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(ollama_model_name(call.body), model)) return error;
  if (text_or(call.body, "prompt", "").empty()) {
    call.send(ollama_nothing_said(call.body, *model, wrap));
    return std::nullopt;
  }
  if (!text_or(call.body, "suffix", "").empty()) return ApiError{400, "suffix: this model cannot fill in between; leave it out", "suffix"};
  const auto prompt = prompt_of(call.body, *model);
  if (!prompt.ok()) return api_error(prompt.status(), "prompt");
  const Json body = openai_body(call.body);
  auto options = generation_options(body, *model);
  if (!options.ok()) return api_error(options.status());
  if (const Status status = limit_context(call.body, *model, prompt->ids.size(), *options); !status.ok())
    return api_error(status, "options.num_ctx");
  if (const Status status = constrain(body, *model, *options); !status.ok()) return api_error(status, "format");
  std::vector<AnswerSpec> specs = {{prompt->ids, *options, false, true, generate::ends_inside_thought(prompt->text)}};
  return run_answers(call, *model, std::move(specs), std::make_shared<OllamaWriter>(call, *model, wrap));
}

}  // namespace

extern const EndpointDef endpoint_ollama_generate;
const EndpointDef endpoint_ollama_generate = {"POST", "/api/generate", Shape::kOllama, false, handle};

}  // namespace atelier::serve
