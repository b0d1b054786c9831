// GET /health: whether requests would be answered. Open without a key, and quick.
#include "atelier/serve/endpoint.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  switch (call.engines.state()) {
    case EngineThread::State::kLoading:
      return ApiError{503, "Loading model", "", "loading", 2};
    case EngineThread::State::kFailed:
      return ApiError{500, "the engine has failed; see the server's log and start it again"};
    case EngineThread::State::kReady:
      break;
  }
  call.send(Json::object().set("status", "ok"));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_health;
const EndpointDef endpoint_health = {"GET", "/health", Shape::kOpenAi, true, handle};

}  // namespace atelier::serve
