// POST /v1/responses: OpenAI's newer conversation, whole or as a stream of typed events. No state is kept.
#include <fmt/format.h>

#include <ctime>

#include "atelier/serve/answer_blocks.h"
#include "atelier/serve/chat_plan.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/openai_words.h"
#include "atelier/serve/responses_words.h"

namespace atelier::serve {
namespace {

// What of the request the response repeats, with what it is where the request is silent.
Json echoed(const Json& body) {
  Json json = Json::object();
  const auto copy = [&](const char* key, Json fallback) {
    const Json* given = body.find(key);
    json.set(key, given != nullptr && !given->is_null() ? *given : std::move(fallback));
  };
  copy("instructions", {});
  copy("max_output_tokens", {});
  copy("metadata", Json::object());
  copy("parallel_tool_calls", true);
  copy("reasoning", Json::object().set("effort", Json()).set("summary", Json()));
  copy("temperature", {});
  copy("text", Json::object().set("format", Json::object().set("type", "text")));
  copy("tool_choice", "auto");
  copy("tools", Json::array());
  copy("top_p", {});
  copy("truncation", "disabled");
  return json.set("previous_response_id", Json()).set("store", false);
}

// Puts what is said into the words of responses; of the owner thread once the answer runs.
class Writer final : public AnswerListener, private AnswerBlocks {
 public:
  Writer(const Call& call, const ServedModel& model, int64_t num_cut)
      : reply_(call.reply),
        model_(model),
        id_(call.request.id),
        created_s_(std::time(nullptr)),
        is_stream_(flag_or(call.body, "stream", false)),
        num_cut_(num_cut),
        echoed_(echoed(call.body)) {}

  void on_start() override {
    if (!is_stream_) return;
    reply_->start(sse_head());
    write(Json::object().set("type", "response.created").set("response", response("in_progress")));
    write(Json::object().set("type", "response.in_progress").set("response", response("in_progress")));
  }
  void on_delta(size_t, Delta delta) override { add(delta); }
  void on_choice_end(size_t, const generate::Generation& generation) override {
    is_cut_ = openai_finish_reason(generation.finish) == std::string_view("length");
    finish();
  }
  void on_done(const Usage& usage) override {
    Json json = response(is_cut_ ? "incomplete" : "completed");
    Json counts = Json::object().set("input_tokens", usage.num_prompt);
    counts.set("input_tokens_details", Json::object().set("cached_tokens", usage.num_cached)).set("output_tokens", usage.num_completion);
    counts.set("output_tokens_details", Json::object().set("reasoning_tokens", 0));
    json.set("usage", std::move(counts.set("total_tokens", usage.num_prompt + usage.num_completion)));
    if (is_cut_) json.set("incomplete_details", Json::object().set("reason", "max_output_tokens"));
    if (!is_stream_) return reply_->send({200, {{"Content-Type", "application/json"}}, json.dump()});
    write(Json::object().set("type", is_cut_ ? "response.incomplete" : "response.completed").set("response", std::move(json)));
    reply_->end();
  }
  void on_failed(const ApiError& error) override {
    if (!is_stream_) return reply_->send(error_response(error, Shape::kOpenAi));
    Json json = response("failed");
    json.set("error", Json::object().set("code", "server_error").set("message", error.message));
    write(Json::object().set("type", "response.failed").set("response", std::move(json)));
    reply_->end();
  }

 private:
  using Kind = AnswerBlock::Kind;

  std::string item_id(size_t index) const {
    const Kind kind = blocks()[index].kind;
    return fmt::format("{}_{}_{}", kind == Kind::kThought ? "rs" : kind == Kind::kText ? "msg" : "fc", id_, index);
  }
  static Json part(const AnswerBlock& block, const std::string& text) {
    if (block.kind == Kind::kThought) return Json::object().set("type", "reasoning_text").set("text", text);
    Json json = Json::object().set("type", "output_text").set("text", text);
    return json.set("annotations", Json::array()).set("logprobs", Json::array());
  }
  // An item as it is when it begins (`is_begin`), or whole.
  Json item(size_t index, bool is_begin) const {
    const AnswerBlock& block = blocks()[index];
    Json json = Json::object().set("id", item_id(index));
    const char* status = is_begin ? "in_progress" : is_cut_ && index + 1 == blocks().size() ? "incomplete" : "completed";
    if (block.kind == Kind::kCall) {
      json.set("type", "function_call").set("call_id", "call_" + block.id).set("name", block.name);
      return json.set("arguments", is_begin ? "" : block.text).set("status", status);
    }
    Json content = is_begin ? Json::array() : Json::array().push_back(part(block, block.text));
    if (block.kind == Kind::kThought)
      return json.set("type", "reasoning").set("summary", Json::array()).set("content", std::move(content)).set("status", status);
    return json.set("type", "message").set("role", "assistant").set("content", std::move(content)).set("status", status);
  }
  Json response(const char* status) const {
    Json json = Json::object().set("id", "resp_" + id_).set("object", "response").set("created_at", created_s_).set("status", status);
    json.set("background", false).set("error", Json()).set("incomplete_details", Json()).set("model", model_.name());
    Json output = Json::array();
    if (status != std::string_view("in_progress")) {
      for (size_t i = 0; i < blocks().size(); ++i) output.push_back(item(i, false));
    }
    json.set("output", std::move(output));
    for (const auto& [key, value] : echoed_.as_object()) json.set(key, value);
    if (num_cut_ > 0) json.set("truncated_messages", num_cut_);
    return json;
  }

  void write(Json event) { reply_->write(sse_event(event.set("sequence_number", num_events_++))); }
  Json event(const std::string& type, size_t index, bool is_in_part) const {
    Json json = Json::object().set("type", type).set("output_index", static_cast<int64_t>(index));
    if (is_in_part) json.set("item_id", item_id(index));
    if (is_in_part && blocks()[index].kind != Kind::kCall) json.set("content_index", 0);
    return json;
  }
  static const char* piece_event(Kind kind) {
    return kind == Kind::kThought ? "response.reasoning_text"
           : kind == Kind::kText  ? "response.output_text"
                                  : "response.function_call_arguments";
  }

  void on_begin(size_t index, const AnswerBlock& block) override {
    if (!is_stream_) return;
    write(event("response.output_item.added", index, false).set("item", item(index, true)));
    if (block.kind != Kind::kCall) write(event("response.content_part.added", index, true).set("part", part(block, "")));
  }
  void on_piece(size_t index, const AnswerBlock& block, const std::string& piece) override {
    if (!is_stream_) return;
    Json json = event(std::string(piece_event(block.kind)) + ".delta", index, true).set("delta", piece);
    if (block.kind == Kind::kText) json.set("logprobs", Json::array());
    write(std::move(json));
  }
  void on_end(size_t index, const AnswerBlock& block) override {
    if (!is_stream_) return;
    Json done = event(std::string(piece_event(block.kind)) + ".done", index, true);
    if (block.kind == Kind::kCall) {
      write(std::move(done.set("name", block.name).set("arguments", block.text)));
    } else {
      if (block.kind == Kind::kText) done.set("logprobs", Json::array());
      write(std::move(done.set("text", block.text)));
      write(event("response.content_part.done", index, true).set("part", part(block, block.text)));
    }
    write(event("response.output_item.done", index, false).set("item", item(index, false)));
  }

  const std::shared_ptr<http::Reply> reply_;
  const ServedModel& model_;
  const std::string id_;
  const int64_t created_s_;
  const bool is_stream_;
  const int64_t num_cut_;
  const Json echoed_;
  bool is_cut_ = false;
  int64_t num_events_ = 0;
};

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(call.body, "model", ""), model)) return error;
  const auto body = openai_body_of_responses(call.body);
  if (!body.ok()) return api_error(body.status(), body.status().message().substr(0, body.status().message().find(':')));
  ChatPlan plan;
  if (auto error = plan_chat(*body, *model, plan)) return error;
  auto writer = std::make_shared<Writer>(call, *model, plan.num_cut);
  return run_answers(call, *model, std::move(plan.specs), std::move(writer));
}

}  // namespace

extern const EndpointDef endpoint_responses;
const EndpointDef endpoint_responses = {"POST", "/v1/responses", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
