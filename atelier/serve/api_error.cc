#include "atelier/serve/api_error.h"

namespace atelier::serve {

const char* error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

ApiError api_error(const Status& status, std::string param) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kUnsupported:
    case StatusCode::kOutOfRange:
      return {400, status.message(), std::move(param)};
    case StatusCode::kCorrupt:
      return {param.empty() ? 500 : 400, status.message(), std::move(param)};
    default:
      return {500, status.message()};
  }
}

}  // namespace atelier::serve
