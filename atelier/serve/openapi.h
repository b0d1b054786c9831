// The API as openapi.json describes it (OpenAPI 3.1): served to clients, and the source of the checks of their requests.
#pragma once

#include <string>
#include <string_view>

#include "atelier/base/json.h"
#include "atelier/serve/schema_check.h"

namespace atelier::serve {

std::string_view openapi_text();  // the file

class OpenApi {
 public:
  static Result<OpenApi> parse(std::string_view text);

  // Nothing to object, or the first fault of a request's body.
  std::optional<SchemaFault> check_body(std::string_view method, std::string_view path, const Json& body) const;

  // The schema of a request's body; null when the operation has none, or there is no such operation.
  const Json* body_schema(std::string_view method, std::string_view path) const;
  const Json& document() const { return document_; }

 private:
  explicit OpenApi(Json document) : document_(std::move(document)) {}
  Json document_;
};

}  // namespace atelier::serve
