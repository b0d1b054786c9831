// An endpoint: one file in serve/endpoints/ that exports one `const EndpointDef endpoint_<name>`; CMake writes the table. Its request is
// described in openapi.json, and what arrives has been checked against that.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "atelier/base/json.h"
#include "atelier/serve/api_error.h"
#include "atelier/serve/engine_thread.h"
#include "atelier/serve/http/message.h"

namespace atelier::serve {

// In whose words errors are told.
enum class Shape { kOpenAi, kAnthropic, kOllama };

// What a handler works with. Of a worker thread.
struct Call {
  EngineThread& engines;
  const class Service& service;
  http::Request request;
  Json body;              // null where there is none
  std::string parameter;  // what stood for the {…} of the path
  std::string scope;      // of the client's key: what its requests leave behind is kept apart by it
  Shape shape;
  std::shared_ptr<http::Reply> reply;

  void send(const Json& json, int status = 200) const;
  // The model of `name`, or of the only name there is when it is empty; it stays loaded as long as somebody holds `reply`. 503 while
  // loading, 404 when there is none, 500 when it cannot be loaded.
  std::optional<ApiError> find_model(const std::string& name, ServedModel*& model);
  // The same, of models that write answers; 400 for an encoder.
  std::optional<ApiError> find_generator(const std::string& name, ServedModel*& model);
};

struct EndpointDef {
  const char* method;
  const char* path;  // may end in /{parameter}
  Shape shape;
  bool is_open;  // needs no key
  // Answers through call.reply, now or later; an error is told by the caller.
  std::optional<ApiError> (*handle)(Call& call);
  bool is_admin = false;  // changes what the server has: needs a key, or --allow-admin
};

// Every endpoint, sorted by file name.
std::span<const EndpointDef* const> endpoints();

// Why nothing was submitted; nothing when it was.
std::optional<ApiError> refusal(Admission admission);

// The response of an error in the words of an API.
http::Response error_response(const ApiError& error, Shape shape);
Json error_json(const ApiError& error, Shape shape);

}  // namespace atelier::serve
