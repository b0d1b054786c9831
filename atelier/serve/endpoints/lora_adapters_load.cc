// POST /lora-adapters: an adapter from a folder of this machine, in PEFT's layout or AdapterHub's, for one of the models.
#include "atelier/serve/generation_options.h"
#include "atelier/serve/turns.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(call.body, "model", ""), model)) return error;
  const std::string id = text_or(call.body, "id", ""), path = text_or(call.body, "path", "");
  const auto piece = [=]() -> Result<bool> {
    ATELIER_RETURN_IF_ERROR(model->load_adapter(id, path));
    return false;
  };
  return run_in_turns(call, piece, [=, reply = call.reply] {
    const Json json = Json::object().set("id", id).set("path", path).set("model", model->name());
    reply->send({200, {{"Content-Type", "application/json"}}, json.dump()});
  });
}

}  // namespace

extern const EndpointDef endpoint_lora_adapters_load;
const EndpointDef endpoint_lora_adapters_load = {"POST", "/lora-adapters", Shape::kOpenAi, false, handle, true};

}  // namespace atelier::serve
