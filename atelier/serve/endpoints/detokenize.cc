// POST /detokenize: the text of tokens.
#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  std::vector<int32_t> ids;
  for (const Json& id : call.body.find("tokens")->as_array()) ids.push_back(static_cast<int32_t>(id.as_int()));
  const auto text = model->tokenizer().decode(ids, false);
  if (!text.ok()) return api_error(text.status(), "tokens");
  call.send(Json::object().set("content", *text));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_detokenize;
const EndpointDef endpoint_detokenize = {"POST", "/detokenize", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
