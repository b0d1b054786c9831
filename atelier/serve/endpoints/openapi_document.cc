// GET /openapi.json: this API in OpenAPI 3.1.
#include "atelier/serve/endpoint.h"
#include "atelier/serve/openapi.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  call.reply->send({200, {{"Content-Type", "application/json"}}, std::string(openapi_text())});
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_openapi_document;
const EndpointDef endpoint_openapi_document = {"GET", "/openapi.json", Shape::kOpenAi, true, handle};

}  // namespace atelier::serve
