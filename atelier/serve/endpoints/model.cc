// GET /v1/models/{model}: one of the models that are served.
#include "atelier/serve/endpoint.h"
#include "atelier/serve/model_json.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(call.parameter, model)) return error;
  call.send(model_json(*model));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_model;
const EndpointDef endpoint_model = {"GET", "/v1/models/{model}", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
