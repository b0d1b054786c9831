#include "atelier/serve/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/hash.h"
#include "atelier/generate/channel_splitter.h"
#include "atelier/generate/request_check.h"
#include "atelier/generate/tool_call_splitter.h"

namespace atelier::serve {
namespace {

// Nine letters and digits, which is what Mistral's templates want of an id that comes back.
std::string call_id(const std::string& request, size_t choice, size_t index) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::string key = fmt::format("{} {} {}", request, choice, index);
  uint64_t hash = hash_bytes({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
  std::string id(9, '0');
  for (char& c : id) {
    c = kDigits[hash % kDigits.size()];
    hash /= kDigits.size();
  }
  return id;
}

std::vector<std::string> names_of(const std::vector<generate::Tool>& tools) {
  std::vector<std::string> names;
  for (const generate::Tool& tool : tools) names.push_back(tool.name);
  return names;
}

// The state of all choices; of the owner thread once submitted.
class Answers {
 public:
  Answers(const std::string& request_id, std::vector<AnswerSpec>& specs, std::shared_ptr<AnswerListener> listener)
      : request_id_(request_id), listener_(std::move(listener)), num_open_(specs.size()) {
    for (const AnswerSpec& spec : specs) {
      Choice choice;
      if (spec.tool_format != nullptr && spec.tool_format->has_channels) {
        choice.channels.emplace(names_of(spec.tools));
      } else {
        if (spec.splits_thoughts) choice.thoughts.emplace(spec.starts_inside_thought, spec.thought_tags);
        if (spec.tool_format != nullptr) choice.calls.emplace(*spec.tool_format, spec.tools);
      }
      choices_.push_back(std::move(choice));
    }
  }

  void on_start() { listener_->on_start(); }
  void on_prompt_token(size_t choice, const generate::TokenReport& report) { listener_->on_prompt_token(choice, report); }
  void on_token(size_t choice, const generate::TokenReport& report) { choices_[choice].tokens.push_back(report); }
  void on_text(size_t choice, std::string_view text) {
    Choice& state = choices_[choice];
    if (state.channels) {
      for (const auto& piece : state.channels->push(text)) on_piece(choice, piece);
      return;
    }
    if (!state.thoughts) return on_content(choice, text);
    for (const auto& piece : state.thoughts->push(text)) on_piece(choice, piece);
  }
  void on_finish(size_t choice, const Result<generate::Generation>& generation);

 private:
  struct Choice {
    std::optional<generate::ThoughtSplitter> thoughts;
    std::optional<generate::ToolCallSplitter> calls;
    std::optional<generate::ChannelSplitter> channels;  // in place of both
    std::vector<generate::TokenReport> tokens;          // whose text is not certain yet
  };

  void on_piece(size_t choice, const generate::ThoughtSplitter::Piece& piece) {
    if (piece.is_thought) return tell(choice, {"", piece.text});
    on_content(choice, piece.text);
  }
  void on_content(size_t choice, std::string_view text) {
    Choice& state = choices_[choice];
    if (!state.calls) return tell(choice, {std::string(text), ""});
    for (const auto& piece : state.calls->push(text)) on_piece(choice, piece);
  }
  void on_piece(size_t choice, const generate::ToolCallSplitter::Piece& piece) {
    if (!piece.call) return tell(choice, {piece.text, ""});
    tell_call(choice, *piece.call, piece.name, piece.arguments);
  }
  void on_piece(size_t choice, const generate::ChannelSplitter::Piece& piece) {
    if (!piece.call) return tell(choice, piece.is_thought ? Delta{"", piece.text} : Delta{piece.text, ""});
    tell_call(choice, *piece.call, piece.name, piece.arguments);
  }
  void tell_call(size_t choice, size_t index, const std::string& name, const std::string& arguments) {
    tell(choice, {"", "", ToolCallDelta{index, name.empty() ? "" : call_id(request_id_, choice, index), name, arguments}});
  }
  void finish_text(size_t choice) {
    Choice& state = choices_[choice];
    if (state.thoughts) {
      for (const auto& piece : state.thoughts->finish()) on_piece(choice, piece);
    }
    if (state.calls) {
      for (const auto& piece : state.calls->finish()) on_piece(choice, piece);
    }
    if (state.channels) {
      for (const auto& piece : state.channels->finish()) on_piece(choice, piece);
    }
    if (!state.tokens.empty()) tell(choice, {});
  }
  void tell(size_t choice, Delta delta) {
    delta.tokens = std::exchange(choices_[choice].tokens, {});
    listener_->on_delta(choice, std::move(delta));
  }

  const std::string request_id_;
  std::shared_ptr<AnswerListener> listener_;
  std::vector<Choice> choices_;
  size_t num_open_;
  std::optional<ApiError> failure_;
  Usage usage_;
};

void Answers::on_finish(size_t choice, const Result<generate::Generation>& generation) {
  if (!generation.ok() && !failure_) failure_ = api_error(generation.status());
  if (generation.ok() && generation->finish == generate::FinishReason::kCancelled && !failure_) {
    failure_ = ApiError{503, "the request was cancelled; the server may be stopping", "", "", 5};
  }
  if (generation.ok() && !failure_) {
    finish_text(choice);
    listener_->on_choice_end(choice, *generation);
    usage_.num_prompt += generation->num_prompt;
    usage_.num_cached += generation->num_reused;
    usage_.num_completion += static_cast<int64_t>(generation->ids.size());
    usage_.queued_s = std::max(usage_.queued_s, generation->queued_s);
    usage_.prefill_s = std::max(usage_.prefill_s, generation->prefill_s);
    usage_.decode_s = std::max(usage_.decode_s, generation->decode_s);
  }
  if (--num_open_ > 0) return;
  if (failure_) return listener_->on_failed(*failure_);
  listener_->on_done(usage_);
}

}  // namespace

std::optional<ApiError> run_answers(const Call& call, ServedModel& model, std::vector<AnswerSpec> specs,
                                    std::shared_ptr<AnswerListener> listener) {
  auto answers = std::make_shared<Answers>(call.request.id, specs, std::move(listener));
  std::vector<generate::Request> requests;
  for (size_t i = 0; i < specs.size(); ++i) {
    generate::Request request;
    request.prompt = std::move(specs[i].prompt);
    request.options = std::move(specs[i].options);
    request.cache_scope = call.scope;
    if (request.options.report_prompt) {
      request.hooks.on_prompt_token = [answers, i](const generate::TokenReport& report) { answers->on_prompt_token(i, report); };
    }
    if (specs[i].wants_reports)
      request.hooks.on_token = [answers, i](const generate::TokenReport& report) { answers->on_token(i, report); };
    request.hooks.on_text = [answers, i](std::string_view text) { answers->on_text(i, text); };
    request.hooks.on_finish = [answers, i](const Result<generate::Generation>& generation) { answers->on_finish(i, generation); };
    if (const Status status = generate::check_request(request, model.model(), model.context()); !status.ok()) {
      ApiError error = api_error(status);
      if (status.code() == StatusCode::kOutOfRange && status.message().starts_with("prompt")) error.code = "context_length_exceeded";
      return error;
    }
    requests.push_back(std::move(request));
  }
  const auto job = std::make_shared<Job>(model, std::move(requests));
  job->on_start = [answers] { answers->on_start(); };
  if (auto error = refusal(call.engines.submit(job))) return error;
  call.reply->on_gone([&engines = call.engines, job] { engines.cancel(job); });
  call.reply->on_backlog([&engines = call.engines, job](bool is_full) { engines.set_paused(job, is_full); });
  return std::nullopt;
}

}  // namespace atelier::serve
