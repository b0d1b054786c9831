// GET /v1/models/{model}: one of the models that are served.
#include "atelier/serve/endpoint.h"
#include "atelier/serve/model_json.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  for (const auto& known : call.engines.known()) {
    if (known.name != call.parameter) continue;
    call.send(model_json(known));
    return std::nullopt;
  }
  ServedModel* model = nullptr;
  return call.find_model(call.parameter, model);  // says what there is
}

}  // namespace

extern const EndpointDef endpoint_model;
const EndpointDef endpoint_model = {"GET", "/v1/models/{model}", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
