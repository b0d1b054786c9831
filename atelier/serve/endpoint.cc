#include "atelier/serve/endpoint.h"

#include <fmt/format.h>

#include "atelier/base/strings.h"

namespace atelier::serve {
namespace {

// Holds the model for which an answer is owed.
class HoldingReply final : public http::Reply {
 public:
  HoldingReply(std::shared_ptr<http::Reply> inner, std::shared_ptr<ServedModel> model)
      : inner_(std::move(inner)), model_(std::move(model)) {}
  void send(http::Response response) override { inner_->send(std::move(response)); }
  void start(http::Response head) override { inner_->start(std::move(head)); }
  void write(std::string piece) override { inner_->write(std::move(piece)); }
  void end() override { inner_->end(); }
  void on_gone(std::function<void()> callback) override { inner_->on_gone(std::move(callback)); }
  void on_backlog(std::function<void(bool)> callback) override { inner_->on_backlog(std::move(callback)); }

 private:
  const std::shared_ptr<http::Reply> inner_;
  const std::shared_ptr<ServedModel> model_;
};

}  // namespace

Json error_json(const ApiError& error, Shape shape) {
  if (shape == Shape::kOllama) return Json::object().set("error", error.message);
  if (shape == Shape::kAnthropic) {
    const char* type = error.status == 500 ? "api_error" : error.status == 503 ? "overloaded_error" : error_type(error.status);
    Json inner = Json::object().set("type", type).set("message", error.message);
    return Json::object().set("type", "error").set("error", std::move(inner));
  }
  Json inner = Json::object().set("message", error.message).set("type", error_type(error.status));
  inner.set("param", error.param.empty() ? Json() : Json(error.param)).set("code", error.code.empty() ? Json() : Json(error.code));
  return Json::object().set("error", std::move(inner));
}

std::optional<ApiError> refusal(Admission admission) {
  switch (admission) {
    case Admission::kQueueFull:
      return ApiError{429, "queue: full; try again later", "", "queue_full", 1};
    case Admission::kStopping:
      return ApiError{503, "the server is stopping", "", "stopping", 5};
    case Admission::kAccepted:
      break;
  }
  return std::nullopt;
}

http::Response error_response(const ApiError& error, Shape shape) {
  http::Response response{error.status, {{"Content-Type", "application/json"}}, error_json(error, shape).dump()};
  if (error.retry_after_s) response.headers.emplace_back("Retry-After", std::to_string(*error.retry_after_s));
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

void Call::send(const Json& json, int status) const { reply->send({status, {{"Content-Type", "application/json"}}, json.dump()}); }

std::optional<ApiError> Call::find_model(const std::string& name, ServedModel*& model) {
  if (engines.state() == EngineThread::State::kLoading) return ApiError{503, "Loading model", "", "loading", 2};
  Status failure;
  if (auto found = engines.find(name, &failure)) {
    model = found.get();
    reply = std::make_shared<HoldingReply>(std::move(reply), std::move(found));
    return std::nullopt;
  }
  if (!failure.ok()) return ApiError{500, failure.message(), "model", "model_not_loaded"};
  std::vector<std::string> names;
  for (const auto& known : engines.known()) names.push_back(known.name);
  return ApiError{404, fmt::format("model: {}, not one of those that are served; there is {}", quoted(name), join(names, ", ")), "model",
                  "model_not_found"};
}

std::optional<ApiError> Call::find_generator(const std::string& name, ServedModel*& model) {
  if (auto error = find_model(name, model)) return error;
  if (model->has_engine()) return std::nullopt;
  return ApiError{
      400,
      fmt::format("model: {}, an encoder, which writes no answers; ask /v1/embeddings, /v1/classify or /v1/fill", quoted(model->name())),
      "model", "model_not_supported"};
}

}  // namespace atelier::serve
