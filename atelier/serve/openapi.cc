#include "atelier/serve/openapi.h"

#include "atelier/base/strings.h"

namespace atelier::serve {

Result<OpenApi> OpenApi::parse(std::string_view text) {
  ATELIER_TRY(Json document, Json::parse(text, "openapi.json"));
  return OpenApi(std::move(document));
}

const Json* OpenApi::body_schema(std::string_view method, std::string_view path) const {
  const Json* at = &document_;
  const std::string verb = to_lower_ascii(method);
  for (const std::string_view part : {std::string_view("paths"), path, std::string_view(verb), std::string_view("requestBody"),
                                      std::string_view("content"), std::string_view("application/json"), std::string_view("schema")}) {
    at = at->find(part);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::optional<SchemaFault> OpenApi::check_body(std::string_view method, std::string_view path, const Json& body) const {
  const Json* schema = body_schema(method, path);
  return schema == nullptr ? std::nullopt : check_schema(body, *schema, document_);
}

}  // namespace atelier::serve
