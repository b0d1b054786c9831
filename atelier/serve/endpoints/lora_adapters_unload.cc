// DELETE /lora-adapters/{id}: forgets an adapter, of every model that has one of this name.
#include <fmt/format.h>

#include "atelier/base/strings.h"
#include "atelier/serve/turns.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  std::vector<std::shared_ptr<ServedModel>> holders;
  for (const auto& known : call.engines.known()) {
    if (known.model && known.model->adapters().contains(call.parameter)) holders.push_back(known.model);
  }
  if (holders.empty())
    return ApiError{404, fmt::format("id: {}, no such adapter is loaded; see /lora-adapters", quoted(call.parameter)), "id", "not_found"};
  const auto piece = [holders, id = call.parameter]() -> Result<bool> {
    for (const auto& model : holders) ATELIER_RETURN_IF_ERROR(model->unload_adapter(id));
    return false;
  };
  return run_in_turns(call, piece, [id = call.parameter, reply = call.reply] {
    reply->send({200, {{"Content-Type", "application/json"}}, Json::object().set("id", id).set("deleted", true).dump()});
  });
}

}  // namespace

extern const EndpointDef endpoint_lora_adapters_unload;
const EndpointDef endpoint_lora_adapters_unload = {"DELETE", "/lora-adapters/{id}", Shape::kOpenAi, false, handle, true};

}  // namespace atelier::serve
