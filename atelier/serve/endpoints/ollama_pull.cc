// POST /api/pull: a model into the store, told in lines of JSON. Of addresses that the client names, only those of the public internet are
// asked, whatever a redirect says.
#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "atelier/models/pull.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/ollama_words.h"
#include "atelier/serve/service.h"

namespace atelier::serve {
namespace {

std::string environment(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

bool is_stored(const std::string& name) {
  const auto models = models::stored_models();
  return std::any_of(models.begin(), models.end(), [&](const models::StoredModel& model) { return model.name == name; });
}

void start(http::Reply& reply, bool is_stream) {
  if (is_stream) reply.start({200, {{"Content-Type", "application/x-ndjson"}, {"Cache-Control", "no-store"}}, ""});
}

void send_success(http::Reply& reply, bool is_stream) {
  const std::string line = Json::object().set("status", "success").dump();
  if (!is_stream) return reply.send({200, {{"Content-Type", "application/json"}}, line});
  reply.write(line + "\n");
  reply.end();
}

// Of the background's thread.
void pull(const std::string& source, const std::shared_ptr<http::Reply>& reply, bool is_stream, const std::function<bool()>& goes_on) {
  start(*reply, is_stream);
  if (is_stream) reply->write(Json::object().set("status", "pulling manifest").dump() + "\n");
  models::PullOptions options;
  options.hub = environment("HF_ENDPOINT", options.hub);
  options.token = environment("HF_TOKEN", "");
  options.is_public_only = true;
  int64_t last_percent = -1;
  const auto progress = [&](const std::string& file, int64_t done, int64_t total) {
    const int64_t percent = total > 0 ? done * 100 / total : done >> 20;
    if (is_stream && percent != last_percent) {
      last_percent = percent;
      Json line = Json::object().set("status", "pulling " + file).set("digest", file).set("completed", done);
      if (total > 0) line.set("total", total);
      reply->write(line.dump() + "\n");
    }
    return goes_on();
  };
  const auto model = models::pull_model(source, options, progress);
  if (model.ok()) return send_success(*reply, is_stream);
  if (!is_stream) return reply->send(error_response(api_error(model.status()), Shape::kOllama));
  reply->write(error_json(api_error(model.status()), Shape::kOllama).dump() + "\n");
  reply->end();
}

std::optional<ApiError> handle(Call& call) {
  const std::string source = ollama_model_name(call.body);
  if (source.empty()) return ApiError{400, "model: is missing, it is needed", "model"};
  const bool is_stream = flag_or(call.body, "stream", true);
  if (is_stored(source)) {
    start(*call.reply, is_stream);
    send_success(*call.reply, is_stream);
    return std::nullopt;
  }
  auto is_gone = std::make_shared<std::atomic<bool>>(false);
  const bool is_begun = call.service.background().start([=, reply = call.reply](const std::atomic<bool>& is_stopping) {
    pull(source, reply, is_stream, [&] { return !is_stopping && !*is_gone; });
  });
  if (!is_begun) return ApiError{429, "pull: another one is running; try again later", "", "pull_running", 5};
  call.reply->on_gone([is_gone] { *is_gone = true; });
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_ollama_pull;
const EndpointDef endpoint_ollama_pull = {"POST", "/api/pull", Shape::kOllama, false, handle, true};

}  // namespace atelier::serve
