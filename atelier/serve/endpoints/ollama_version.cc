// GET /api/version: our own version, where Ollama's clients ask for Ollama's.
#include "atelier/base/version.h"
#include "atelier/serve/endpoint.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  call.send(Json::object().set("version", kVersion));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_version;
const EndpointDef endpoint_ollama_version = {"GET", "/api/version", Shape::kOllama, false, handle};

}  // namespace atelier::serve
