// GET /api/tags: the models that are served, as Ollama lists them.
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  Json models = Json::array();
  for (const ServedModel* model : call.engines.models()) {
    Json json = Json::object().set("name", model->name()).set("model", model->name()).set("modified_at", rfc3339(model->created_s()));
    models.push_back(json.set("size", model->model().checkpoint().total_bytes()).set("digest", "").set("details", ollama_details(*model)));
  }
  call.send(Json::object().set("models", std::move(models)));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_tags;
const EndpointDef endpoint_ollama_tags = {"GET", "/api/tags", Shape::kOllama, false, handle};

}  // namespace atelier::serve
