// GET /api/tags: the models that are served, as Ollama lists them.
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  Json models = Json::array();
  for (const auto& known : call.engines.known()) models.push_back(ollama_model(known).set("modified_at", rfc3339(known.since_s)));
  call.send(Json::object().set("models", std::move(models)));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_tags;
const EndpointDef endpoint_ollama_tags = {"GET", "/api/tags", Shape::kOllama, false, handle};

}  // namespace atelier::serve
