// GET /api/ps: the models that are loaded, and until when.
#include <ctime>

#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

constexpr int64_t kForever_s = int64_t{100} * 365 * 86400;  // Ollama's own answer for models that are never unloaded is as far away

std::optional<ApiError> handle(Call& call) {
  Json models = Json::array();
  for (const auto& known : call.engines.known()) {
    if (!known.model) continue;
    const int64_t end_s = std::time(nullptr) + (known.expires_s ? static_cast<int64_t>(*known.expires_s) : kForever_s);
    Json json = ollama_model(known).set("expires_at", rfc3339(end_s));
    models.push_back(json.set("size_vram", 0).set("context_length", known.model->context()));
  }
  call.send(Json::object().set("models", std::move(models)));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_ps;
const EndpointDef endpoint_ollama_ps = {"GET", "/api/ps", Shape::kOllama, false, handle};

}  // namespace atelier::serve
