// DELETE /api/delete: a model out of the store.
#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/models/pull.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  const std::string name = ollama_model_name(call.body);
  const auto known = call.engines.known();
  if (std::any_of(known.begin(), known.end(), [&](const auto& model) { return model.name == name; }))
    return ApiError{400, fmt::format("model: {}, is being served; start the server without it first", name), "model"};
  const auto removed = models::remove_model(name);
  if (!removed.ok()) {
    ApiError error = api_error(removed.status(), "model");
    if (removed.status().code() == StatusCode::kNotFound) error.status = 404;
    return error;
  }
  call.send(Json::object().set("status", "success"));
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_delete;
const EndpointDef endpoint_ollama_delete = {"DELETE", "/api/delete", Shape::kOllama, false, handle, true};

}  // namespace atelier::serve
