// From a request to its endpoint: who may ask, what a request must look like, who answers.
//
// On the header alone, before a byte of the body is read: the Host must be an address, localhost or a name that was allowed (a page that
// rebinds its DNS name to this machine has another); an Origin must be our own or on the list; a key must be known; a body must say that it
// is JSON, which a foreign page cannot without asking first. Then the body's JSON, its depth, and openapi.json's schema.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "atelier/serve/api_keys.h"
#include "atelier/serve/background.h"
#include "atelier/serve/endpoint.h"
#include "atelier/serve/engine_thread.h"
#include "atelier/serve/http/server.h"
#include "atelier/serve/openapi.h"
#include "atelier/serve/rate_limit.h"

namespace atelier::serve {

struct ServiceOptions {
  ApiKeys keys;                      // none: everybody may ask
  std::vector<std::string> hosts;    // names allowed in Host besides localhost and addresses
  std::vector<std::string> origins;  // other sites whose pages may ask: "https://example.org"
  int max_json_depth = 64;
  int64_t requests_per_minute = 0;                          // of each key, or of each address where there are no keys; 0: no limit
  bool allow_admin = false;                                 // without a key: loading adapters, bringing and deleting models
  std::function<void(const std::string& line)> access_log;  // JSON Lines; empty: none
  bool logs_bodies = false;                                 // with the access log: a line more, as each request comes, with what it says
};

class Service {
 public:
  // The engines must outlive the service.
  static Result<std::unique_ptr<Service>> create(EngineThread& engines, ServiceOptions options);

  http::Server::Callbacks callbacks();

  std::optional<http::Response> admit(const http::Request& request);
  void handle(http::Request request, std::shared_ptr<http::Reply> reply);
  void log(const http::Access& access);

  const OpenApi& openapi() const { return openapi_; }
  Background& background() const { return background_; }
  // Responses by status, for /metrics.
  std::map<int, int64_t> responses() const;

 private:
  Service(EngineThread& engines, ServiceOptions options, OpenApi openapi)
      : engines_(engines), options_(std::move(options)), openapi_(std::move(openapi)), rate_limit_(options_.requests_per_minute) {}

  struct Match {
    const EndpointDef* endpoint = nullptr;
    std::string parameter;
    bool is_path_known = false;
  };
  static Match match(const std::string& method, const std::string& path);
  bool is_host_allowed(const http::Request& request) const;
  bool is_origin_allowed(const http::Request& request) const;
  std::optional<std::string> scope_of(const http::Request& request) const;
  std::optional<ApiError> call(http::Request request, std::shared_ptr<http::Reply> reply, const Match& found);
  std::optional<ApiError> call_with_model(std::shared_ptr<Call> call, const EndpointDef& endpoint);
  void write_log(const Json& line) const;  // of any thread

  EngineThread& engines_;
  ServiceOptions options_;
  OpenApi openapi_;
  RateLimit rate_limit_;  // of the loop's thread
  mutable Background background_;
  mutable std::mutex mutex_;  // of the counts and the log
  std::map<int, int64_t> responses_;
};

}  // namespace atelier::serve
