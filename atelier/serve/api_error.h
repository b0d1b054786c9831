// Why a request is not answered, before it is put into the words of an API.
#pragma once

#include <optional>
#include <string>

#include "atelier/base/status.h"

namespace atelier::serve {

struct ApiError {
  int status = 400;  // of HTTP
  std::string message;
  std::string param = {};  // the field that is wrong: "messages[0].role"
  std::string code = {};   // "model_not_found", "context_length_exceeded", …
  std::optional<int> retry_after_s = {};
};

// OpenAI's class of an error: "invalid_request_error", "authentication_error", …
const char* error_type(int status);

// InvalidArgument, OutOfRange, NotFound and Unsupported are the request's fault (400); the rest is ours (500).
ApiError api_error(const Status& status, std::string param = {});

}  // namespace atelier::serve
