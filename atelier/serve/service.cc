#include "atelier/serve/service.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

constexpr const char* kMethods = "GET, HEAD, POST, DELETE, OPTIONS";
constexpr const char* kAllowedHeaders = "Authorization, Content-Type, X-Api-Key, Anthropic-Version";

// "[::1]:8080" -> "::1", "localhost:8080" -> "localhost".
std::string without_port(const std::string& host) {
  if (host.starts_with("[")) return host.substr(1, host.find(']') - 1);
  return to_lower_ascii(host.substr(0, host.find(':')));
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

bool contains(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
}

bool is_json(const std::string& content_type) {
  return equals_ignoring_case(trim_ascii(content_type.substr(0, content_type.find(';'))), "application/json");
}

// Lets the page of an allowed site read the answer.
class CorsReply final : public http::Reply {
 public:
  CorsReply(std::shared_ptr<http::Reply> inner, std::string origin) : inner_(std::move(inner)), origin_(std::move(origin)) {}
  void send(http::Response response) override { inner_->send(allow(std::move(response))); }
  void start(http::Response head) override { inner_->start(allow(std::move(head))); }
  void write(std::string piece) override { inner_->write(std::move(piece)); }
  void end() override { inner_->end(); }
  void on_gone(std::function<void()> callback) override { inner_->on_gone(std::move(callback)); }
  void on_backlog(std::function<void(bool)> callback) override { inner_->on_backlog(std::move(callback)); }

 private:
  http::Response allow(http::Response response) const {
    response.headers.emplace_back("Access-Control-Allow-Origin", origin_);
    response.headers.emplace_back("Vary", "Origin");
    return response;
  }
  const std::shared_ptr<http::Reply> inner_;
  const std::string origin_;
};

// To JSON Schema 3.0 is an integer: it becomes one, for endpoints that ask for one.
void make_integers(Json& value) {
  if (value.is_array()) {
    for (Json& element : value.as_array()) make_integers(element);
  } else if (value.is_object()) {
    for (auto& [key, member] : value.as_object()) make_integers(member);
  } else if (value.is_number() && !value.is_int()) {
    const double number = value.as_double();
    if (std::trunc(number) == number && std::fabs(number) < 0x1p53) value = static_cast<int64_t>(number);
  }
}

// A path's parameter says all that a DELETE needs, save Ollama's.
bool has_body(const EndpointDef& endpoint) {
  const std::string_view method = endpoint.method;
  return method == "POST" || (method == "DELETE" && endpoint.shape == Shape::kOllama);
}

Shape shape_of(const std::string& path) {
  if (path == "/api" || path.starts_with("/api/")) return Shape::kOllama;
  return path.starts_with("/v1/messages") ? Shape::kAnthropic : Shape::kOpenAi;
}

// Runs what answers; what goes wrong is told to the client.
void guarded(const std::shared_ptr<http::Reply>& reply, Shape shape, const std::function<std::optional<ApiError>()>& run) {
  std::optional<ApiError> error;
  try {
    error = run();
  } catch (const std::bad_alloc&) {
    error = ApiError{503, "memory: exhausted; try again later", "", "", 5};
  } catch (const std::exception& exception) {
    atelier::log(LogLevel::kError, fmt::format("internal: {}, this should not happen; please report it", exception.what()));
    error = ApiError{500, "internal: this should not happen; see the server's log"};
  }
  if (error) reply->send(error_response(*error, shape));
}

}  // namespace

Result<std::unique_ptr<Service>> Service::create(EngineThread& engines, ServiceOptions options) {
  ATELIER_TRY(OpenApi openapi, OpenApi::parse(openapi_text()));
  return std::unique_ptr<Service>(new Service(engines, std::move(options), std::move(openapi)));
}

http::Server::Callbacks Service::callbacks() {
  return {[this](const http::Request& request) { return admit(request); },
          [this](http::Request request, std::shared_ptr<http::Reply> reply) { handle(std::move(request), std::move(reply)); },
          [this](const http::Access& access) { log(access); },
          [](int status, const std::string& message) {
            return error_response({status, "request: " + message}, Shape::kOpenAi);
          }};
}

Service::Match Service::match(const std::string& method, const std::string& path) {
  Match match;
  for (const EndpointDef* endpoint : endpoints()) {
    const std::string_view pattern = endpoint->path;
    const size_t brace = pattern.find('{');
    if (brace == std::string_view::npos ? path != pattern : !path.starts_with(pattern.substr(0, brace)) || path.size() == brace) continue;
    match.is_path_known = true;
    if (method != endpoint->method && !(method == "HEAD" && std::string_view(endpoint->method) == "GET")) continue;
    match.endpoint = endpoint;
    if (brace != std::string_view::npos) match.parameter = path.substr(brace);
    return match;
  }
  return match;
}

bool Service::is_host_allowed(const http::Request& request) const {
  const std::string* host = request.header("host");
  if (host == nullptr) return false;
  const std::string name = without_port(*host);
  return name == "localhost" || is_address(name) || contains(options_.hosts, name);
}

bool Service::is_origin_allowed(const http::Request& request) const {
  const std::string* origin = request.header("origin");
  if (origin == nullptr || contains(options_.origins, *origin)) return true;
  const std::string* host = request.header("host");
  return host != nullptr && (*origin == "http://" + *host || *origin == "https://" + *host);
}

std::optional<std::string> Service::scope_of(const http::Request& request) const {
  if (options_.keys.empty()) return std::string();
  if (const std::string* key = request.header("x-api-key")) return options_.keys.scope_of(*key);
  const std::string* authorization = request.header("authorization");
  if (authorization == nullptr || !equals_ignoring_case(std::string_view(*authorization).substr(0, 7), "bearer ")) return std::nullopt;
  return options_.keys.scope_of(trim_ascii(std::string_view(*authorization).substr(7)));
}

std::optional<http::Response> Service::admit(const http::Request& request) {
  const auto refuse = [&](ApiError error) { return error_response(error, shape_of(request.path)); };
  if (!is_host_allowed(request)) {
    const std::string* host = request.header("host");
    return refuse(
        {403, fmt::format("host: {}, this server does not answer to that name; start it with --allow-host", quoted(host ? *host : ""))});
  }
  if (!is_origin_allowed(request)) {
    return refuse({403, fmt::format("origin: {}, pages of that site may not ask; start the server with --allow-origin",
                                    quoted(*request.header("origin")))});
  }
  const Match found = match(request.method, request.path);
  if (!found.is_path_known)
    return refuse({404, fmt::format("path: {}, there is nothing here; see /openapi.json", quoted(request.path)), "", "not_found"});
  if (found.endpoint == nullptr) {
    if (request.method == "OPTIONS") return std::nullopt;
    return refuse({405, fmt::format("method: {}, not one of {}'s; see /openapi.json", quoted(request.method), request.path)});
  }
  const auto scope = scope_of(request);
  if (!found.endpoint->is_open && !scope) {
    return refuse({401, "key: none or an unknown one; send Authorization: Bearer KEY", "", "invalid_api_key"});
  }
  if (request.method == "POST") {
    const double wait_s = rate_limit_.take(options_.keys.empty() ? request.peer : scope.value_or(""), RateLimit::Clock::now());
    if (wait_s > 0) {
      return refuse({429, fmt::format("requests: more than {} a minute; come back later", rate_limit_.per_minute()), "",
                     "rate_limit_exceeded", static_cast<int>(std::ceil(wait_s))});
    }
  }
  if (found.endpoint->is_admin && options_.keys.empty() && !options_.allow_admin) {
    return refuse({403, fmt::format("{}: changes what this server has; start it with --api-key-file, or with --allow-admin", request.path),
                   "", "admin_not_allowed"});
  }
  const std::string* type = request.header("content-type");
  if (has_body(*found.endpoint) && (type == nullptr || !is_json(*type))) {
    return refuse({415, fmt::format("content-type: {}, must be application/json; set the header", quoted(type ? *type : ""))});
  }
  return std::nullopt;
}

void Service::handle(http::Request request, std::shared_ptr<http::Reply> reply) {
  const Match found = match(request.method, request.path);
  const Shape shape = found.endpoint != nullptr ? found.endpoint->shape : Shape::kOpenAi;
  if (const std::string* origin = request.header("origin"); origin != nullptr && contains(options_.origins, *origin)) {
    reply = std::make_shared<CorsReply>(std::move(reply), *origin);
  }
  guarded(reply, shape, [&] { return call(std::move(request), reply, found); });
}

std::optional<ApiError> Service::call(http::Request request, std::shared_ptr<http::Reply> reply, const Match& found) {
  if (found.endpoint == nullptr) {
    reply->send(
        {204, {{"Allow", kMethods}, {"Access-Control-Allow-Methods", kMethods}, {"Access-Control-Allow-Headers", kAllowedHeaders}}, ""});
    return std::nullopt;
  }
  const auto scope = scope_of(request);
  auto call = std::make_shared<Call>(
      Call{engines_, *this, std::move(request), {}, found.parameter, scope.value_or(""), found.endpoint->shape, std::move(reply)});
  if (!has_body(*found.endpoint)) return found.endpoint->handle(*call);
  auto body = Json::parse(call->request.body, "body", options_.max_json_depth);
  if (!body.ok()) return ApiError{400, body.status().message()};
  if (options_.logs_bodies) {
    Json line = Json::object().set("time_s", static_cast<int64_t>(std::time(nullptr))).set("id", call->request.id);
    write_log(line.set("path", call->request.path).set("body", call->request.body));
  }
  call->request.body.clear();
  call->body = std::move(*body);
  make_integers(call->body);
  if (const auto fault = openapi_.check_body(found.endpoint->method, found.endpoint->path, call->body))
    return ApiError{400, fault->message, fault->path};
  if (call->request.method == "DELETE") return found.endpoint->handle(*call);  // which is of no loaded model
  return call_with_model(std::move(call), *found.endpoint);
}

// At once when the model is there; else the owner thread goes on with it once it has loaded the model.
std::optional<ApiError> Service::call_with_model(std::shared_ptr<Call> call, const EndpointDef& endpoint) {
  const auto go_on = [call, &endpoint] { guarded(call->reply, call->shape, [&] { return endpoint.handle(*call); }); };
  const Json* member = call->body.find("model");
  std::string name = member != nullptr && member->is_string() ? member->as_string() : "";
  if (call->shape == Shape::kOllama) {
    name = ollama_model_name(call->body);
    const auto keep_alive_s = ollama_keep_alive(call->body);
    if (!keep_alive_s.ok()) return api_error(keep_alive_s.status(), "keep_alive");
    if (*keep_alive_s) engines_.set_keep_alive(name, **keep_alive_s);
  }
  std::shared_ptr<ServedModel> model;  // held until it is held by the reply
  switch (engines_.want(name, model, go_on)) {
    case EngineThread::Presence::kComing:
      return std::nullopt;
    case EngineThread::Presence::kQueueFull:
      return refusal(Admission::kQueueFull);
    case EngineThread::Presence::kHere:
    case EngineThread::Presence::kUnknown:
      break;
  }
  return endpoint.handle(*call);
}

void Service::log(const http::Access& access) {
  {
    const std::lock_guard lock(mutex_);
    ++responses_[access.status];
  }
  const http::Request& request = *access.request;
  Json line = Json::object().set("time_s", static_cast<int64_t>(std::time(nullptr))).set("id", request.id).set("peer", request.peer);
  line.set("method", request.method).set("path", request.path).set("status", access.status);
  line.set("sent_bytes", access.sent_bytes).set("seconds", access.seconds);
  write_log(line);
}

void Service::write_log(const Json& line) const {
  if (!options_.access_log) return;
  const std::lock_guard lock(mutex_);
  options_.access_log(line.dump());
}

std::map<int, int64_t> Service::responses() const {
  const std::lock_guard lock(mutex_);
  return responses_;
}

}  // namespace atelier::serve
