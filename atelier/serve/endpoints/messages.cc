// POST /v1/messages: Anthropic's conversation, whole or as a stream of named events.
#include "atelier/serve/answer_blocks.h"
#include "atelier/serve/anthropic_words.h"
#include "atelier/serve/chat_plan.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/openai_words.h"

namespace atelier::serve {
namespace {

Json block_json(const AnswerBlock& block, bool is_begin) {
  const std::string text = is_begin ? "" : block.text;
  switch (block.kind) {
    case AnswerBlock::Kind::kThought:
      return Json::object().set("type", "thinking").set("thinking", text).set("signature", "");
    case AnswerBlock::Kind::kText:
      return Json::object().set("type", "text").set("text", text);
    case AnswerBlock::Kind::kCall:
      break;
  }
  auto input = is_begin ? Result<Json>(Json::object()) : Json::parse(block.text, "input");
  Json json = Json::object().set("type", "tool_use").set("id", "toolu_" + block.id).set("name", block.name);
  return json.set("input", input.ok() && input->is_object() ? std::move(*input) : Json::object());
}

Json delta_json(const AnswerBlock& block, const std::string& piece) {
  if (block.kind == AnswerBlock::Kind::kThought) return Json::object().set("type", "thinking_delta").set("thinking", piece);
  if (block.kind == AnswerBlock::Kind::kText) return Json::object().set("type", "text_delta").set("text", piece);
  return Json::object().set("type", "input_json_delta").set("partial_json", piece);
}

// Puts what is said into Anthropic's words; of the owner thread once the answer runs.
class Writer final : public AnswerListener, private AnswerBlocks {
 public:
  Writer(const Call& call, const ServedModel& model, const ChatPlan& plan)
      : reply_(call.reply),
        model_(model),
        id_("msg_" + call.request.id),
        is_stream_(flag_or(call.body, "stream", false)),
        num_prompt_(static_cast<int64_t>(plan.specs[0].prompt.size())),
        num_cut_(plan.num_cut) {}

  void on_start() override {
    if (!is_stream_) return;
    reply_->start(sse_head());
    Json message = head().set("content", Json::array()).set("stop_reason", Json()).set("stop_sequence", Json());
    message.set("usage", Json::object().set("input_tokens", num_prompt_).set("output_tokens", 0));
    write(Json::object().set("type", "message_start").set("message", std::move(message)));
  }
  void on_delta(size_t, Delta delta) override { add(delta); }
  void on_choice_end(size_t, const generate::Generation& generation) override {
    finish();
    const bool has_call = !blocks().empty() && blocks().back().kind == AnswerBlock::Kind::kCall;
    const bool is_cut = openai_finish_reason(generation.finish) == std::string_view("length");
    const bool is_stopped = generation.finish == generate::FinishReason::kStopString;
    stop_reason_ = is_cut ? "max_tokens" : has_call ? "tool_use" : is_stopped ? "stop_sequence" : "end_turn";
    if (is_stopped) stop_sequence_ = Json(generation.stop_string);
  }
  void on_done(const Usage& usage) override {
    Json counts = Json::object().set("input_tokens", usage.num_prompt).set("output_tokens", usage.num_completion);
    counts.set("cache_read_input_tokens", usage.num_cached);
    if (!is_stream_) {
      Json content = Json::array();
      for (const AnswerBlock& block : blocks()) content.push_back(block_json(block, false));
      Json json = head().set("content", std::move(content)).set("stop_reason", stop_reason_).set("stop_sequence", stop_sequence_);
      return reply_->send({200, {{"Content-Type", "application/json"}}, json.set("usage", std::move(counts)).dump()});
    }
    Json delta = Json::object().set("stop_reason", stop_reason_).set("stop_sequence", stop_sequence_);
    write(Json::object().set("type", "message_delta").set("delta", std::move(delta)).set("usage", std::move(counts)));
    write(Json::object().set("type", "message_stop"));
    reply_->end();
  }
  void on_failed(const ApiError& error) override {
    if (!is_stream_) return reply_->send(error_response(error, Shape::kAnthropic));
    write(error_json(error, Shape::kAnthropic));
    reply_->end();
  }

 private:
  Json head() const {
    Json json = Json::object().set("id", id_).set("type", "message").set("role", "assistant").set("model", model_.name());
    if (num_cut_ > 0) json.set("truncated_messages", num_cut_);
    return json;
  }
  void write(const Json& event) { reply_->write(sse_event(event)); }

  void on_begin(size_t index, const AnswerBlock& block) override {
    if (!is_stream_) return;
    Json event = Json::object().set("type", "content_block_start").set("index", static_cast<int64_t>(index));
    write(event.set("content_block", block_json(block, true)));
  }
  void on_piece(size_t index, const AnswerBlock& block, const std::string& piece) override {
    if (!is_stream_) return;
    Json event = Json::object().set("type", "content_block_delta").set("index", static_cast<int64_t>(index));
    write(event.set("delta", delta_json(block, piece)));
  }
  void on_end(size_t index, const AnswerBlock&) override {
    if (is_stream_) write(Json::object().set("type", "content_block_stop").set("index", static_cast<int64_t>(index)));
  }

  const std::shared_ptr<http::Reply> reply_;
  const ServedModel& model_;
  const std::string id_;
  const bool is_stream_;
  const int64_t num_prompt_, num_cut_;
  std::string stop_reason_;
  Json stop_sequence_;
};

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(call.body, "model", ""), model)) return error;
  const auto body = openai_body_of_messages(call.body);
  if (!body.ok()) return api_error(body.status(), "messages");
  ChatPlan plan;
  if (auto error = plan_chat(*body, *model, plan)) return error;
  auto writer = std::make_shared<Writer>(call, *model, plan);
  return run_answers(call, *model, std::move(plan.specs), std::move(writer));
}

}  // namespace

extern const EndpointDef endpoint_messages;
const EndpointDef endpoint_messages = {"POST", "/v1/messages", Shape::kAnthropic, false, handle};

}  // namespace atelier::serve
