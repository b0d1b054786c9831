// POST /v1/chat/completions, whole or as a stream.
#include <fmt/format.h>

#include <ctime>

#include "atelier/serve/chat_plan.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/openai_words.h"

namespace atelier::serve {
namespace {

// Puts what is said into OpenAI's words; of the owner thread once the answers run.
class Writer final : public AnswerListener {
 public:
  Writer(const Call& call, const ServedModel& model, size_t num_choices, bool wants_logprobs, int64_t num_cut)
      : reply_(call.reply),
        model_(model),
        id_("chatcmpl-" + call.request.id),
        created_s_(std::time(nullptr)),
        wants_logprobs_(wants_logprobs),
        num_cut_(num_cut) {
    is_stream_ = flag_or(call.body, "stream", false);
    if (const Json* options = call.body.find("stream_options")) wants_usage_ = flag_or(*options, "include_usage", false);
    choices_.resize(num_choices);
  }

  void on_start() override {
    if (!is_stream_) return;
    reply_->start(sse_head());
    for (size_t i = 0; i < choices_.size(); ++i) write_delta(i, Json::object().set("role", "assistant").set("content", ""), {});
  }

  void on_delta(size_t choice, Delta delta) override {
    if (is_stream_) {
      Json json = Json::object();
      if (!delta.content.empty()) json.set("content", delta.content);
      if (!delta.reasoning.empty()) json.set("reasoning_content", delta.reasoning);
      if (delta.call) {
        json.set("tool_calls", Json::array().push_back(call_json(*delta.call)));
        choices_[choice].has_calls = true;
      }
      return write_delta(choice, std::move(json), delta.tokens);
    }
    Choice& state = choices_[choice];
    state.content += delta.content;
    state.reasoning += delta.reasoning;
    if (delta.call) add_call(*delta.call, state);
    state.tokens.insert(state.tokens.end(), delta.tokens.begin(), delta.tokens.end());
  }

  void on_choice_end(size_t choice, const generate::Generation& generation) override {
    Choice& state = choices_[choice];
    state.finish = openai_finish_reason(generation.finish);
    if (state.finish == "stop" && (state.has_calls || !state.calls.empty())) state.finish = "tool_calls";
    if (is_stream_) write_delta(choice, Json::object(), {}, state.finish);
  }

  void on_done(const Usage& usage) override {
    if (!is_stream_) return send_whole(usage);
    if (wants_usage_) reply_->write(sse_data(head("chat.completion.chunk").set("choices", Json::array()).set("usage", usage_json(usage))));
    reply_->write(kSseDone);
    reply_->end();
  }

  void on_failed(const ApiError& error) override {
    if (!is_stream_) return reply_->send(error_response(error, Shape::kOpenAi));
    reply_->write(sse_data(error_json(error, Shape::kOpenAi)));
    reply_->end();
  }

 private:
  struct Choice {
    std::string content, reasoning;
    std::vector<ToolCallDelta> calls;  // whole
    bool has_calls = false;            // of a stream
    std::vector<generate::TokenReport> tokens;
    std::string finish;
  };

  static void add_call(const ToolCallDelta& delta, Choice& state) {
    if (delta.index == state.calls.size()) return state.calls.push_back(delta);
    state.calls[delta.index].arguments += delta.arguments;
  }
  // The first part of a call has its id and name.
  static Json call_json(const ToolCallDelta& call) {
    Json json = Json::object().set("index", static_cast<int64_t>(call.index));
    if (!call.id.empty()) json.set("id", call.id).set("type", "function");
    Json function = Json::object();
    if (!call.name.empty()) function.set("name", call.name);
    return json.set("function", std::move(function.set("arguments", call.arguments)));
  }

  Json head(const char* object) const {
    Json json = Json::object().set("id", id_).set("object", object).set("created", created_s_).set("model", model_.name());
    if (num_cut_ > 0) json.set("truncated_messages", num_cut_);
    return json.set("system_fingerprint", fingerprint());
  }
  Json logprobs(const std::vector<generate::TokenReport>& tokens) const {
    if (!wants_logprobs_) return {};
    return Json::object().set("content", logprobs_json(tokens, model_.token_text())).set("refusal", Json());
  }
  void write_delta(size_t choice, Json delta, const std::vector<generate::TokenReport>& tokens, const std::string& finish = "") {
    Json entry = Json::object().set("index", static_cast<int64_t>(choice)).set("delta", std::move(delta));
    entry.set("logprobs", tokens.empty() ? Json() : logprobs(tokens)).set("finish_reason", finish.empty() ? Json() : Json(finish));
    Json chunk = head("chat.completion.chunk").set("choices", Json::array().push_back(std::move(entry)));
    if (wants_usage_) chunk.set("usage", Json());
    reply_->write(sse_data(chunk));
  }
  void send_whole(const Usage& usage) {
    Json choices = Json::array();
    for (size_t i = 0; i < choices_.size(); ++i) {
      const Choice& state = choices_[i];
      Json message = Json::object().set("role", "assistant");
      message.set("content", state.content.empty() && !state.calls.empty() ? Json() : Json(state.content)).set("refusal", Json());
      if (!state.reasoning.empty()) message.set("reasoning_content", state.reasoning);
      if (!state.calls.empty()) {
        Json calls = Json::array();
        for (const ToolCallDelta& call : state.calls) calls.push_back(call_json(call));
        message.set("tool_calls", std::move(calls));
      }
      Json entry = Json::object().set("index", static_cast<int64_t>(i)).set("message", std::move(message));
      choices.push_back(entry.set("logprobs", logprobs(state.tokens)).set("finish_reason", state.finish));
    }
    const Json whole = head("chat.completion").set("choices", std::move(choices)).set("usage", usage_json(usage));
    reply_->send({200, {{"Content-Type", "application/json"}}, whole.dump()});
  }

  const std::shared_ptr<http::Reply> reply_;
  const ServedModel& model_;
  const std::string id_;
  const int64_t created_s_;
  const bool wants_logprobs_;
  const int64_t num_cut_;
  bool is_stream_ = false, wants_usage_ = false;
  std::vector<Choice> choices_;
};

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(call.body, "model", ""), model)) return error;
  ChatPlan plan;
  if (auto error = plan_chat(call.body, *model, plan)) return error;
  auto writer = std::make_shared<Writer>(call, *model, plan.specs.size(), plan.specs[0].wants_reports, plan.num_cut);
  return run_answers(call, *model, std::move(plan.specs), std::move(writer));
}

}  // namespace

extern const EndpointDef endpoint_chat_completions;
const EndpointDef endpoint_chat_completions = {"POST", "/v1/chat/completions", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
