// POST /api/show: one model, as Ollama describes it.
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(ollama_model_name(call.body), model)) return error;
  const std::string family = model->model().arch().name;
  Json info = Json::object().set("general.architecture", family).set(family + ".context_length", model->context());
  Json json = Json::object().set("modelfile", "").set("parameters", "").set("template", model->model().chat_template());
  json.set("details", ollama_details(*model)).set("model_info", std::move(info));
  call.send(json.set("capabilities", Json::array().push_back("completion")));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_show;
const EndpointDef endpoint_ollama_show = {"POST", "/api/show", Shape::kOllama, false, handle};

}  // namespace atelier::serve
