// GET /v1/models: the models that are served.
#include "atelier/serve/endpoint.h"
#include "atelier/serve/model_json.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  Json data = Json::array();
  for (const auto& known : call.engines.known()) data.push_back(model_json(known));
  call.send(Json::object().set("object", "list").set("data", std::move(data)));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_models;
const EndpointDef endpoint_models = {"GET", "/v1/models", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
