// GET /lora-adapters: the adapters that requests may name in `lora`.
#include "atelier/serve/endpoint.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  Json data = Json::array();
  for (const auto& known : call.engines.known()) {
    if (!known.model) continue;
    for (const auto& [name, folder] : known.model->adapters())
      data.push_back(Json::object().set("id", name).set("path", folder).set("model", known.name));
  }
  call.reply->send({200, {{"Content-Type", "application/json"}}, data.dump()});
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_lora_adapters;
const EndpointDef endpoint_lora_adapters = {"GET", "/lora-adapters", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
