// GET /api/ps: the models that are loaded: all that are served.
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  Json models = Json::array();
  for (const ServedModel* model : call.engines.models()) {
    Json json = Json::object()
                    .set("name", model->name())
                    .set("model", model->name())
                    .set("size", model->model().checkpoint().total_bytes())
                    .set("digest", "");
    models.push_back(json.set("details", ollama_details(*model)).set("size_vram", 0).set("context_length", model->context()));
  }
  call.send(Json::object().set("models", std::move(models)));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_ps;
const EndpointDef endpoint_ollama_ps = {"GET", "/api/ps", Shape::kOllama, false, handle};

}  // namespace atelier::serve
