#include "atelier/generate/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/generate/sampler_chain.h"
#include "atelier/generate/stop_text.h"

namespace atelier::generate {
namespace {

constexpr int64_t kPrefillChunk = 512;  // rows of one forward pass over a prompt
constexpr int64_t kReportChunk = 64;    // the same when every row's logits are needed: 64 rows of 262,144 are 64 MiB
constexpr size_t kDecoderContext = 4;   // prompt tokens that the text decoder sees before the answer (leading spaces, split characters)

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

const char* finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStopToken:
      return "stop";
    case FinishReason::kStopString:
      return "stop_string";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kContextFull:
      return "context";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  throw InternalError("finish_reason_name: unknown reason");
}

struct Session::Run {
  Run(std::span<const int32_t> prompt_ids, const GenerateOptions& run_options, const GenerateHooks& run_hooks)
      : prompt(prompt_ids), options(run_options), hooks(run_hooks), chain(run_options.sampling), stop(run_options.stop_strings) {}

  bool is_cancelled() const { return hooks.is_cancelled && hooks.is_cancelled(); }
  void show(std::string text) {
    if (text.empty()) return;
    out.text += text;
    if (hooks.on_text) hooks.on_text(text);
  }

  std::span<const int32_t> prompt;
  const GenerateOptions& options;
  const GenerateHooks& hooks;
  SamplerChain chain;
  StopText stop;
  std::optional<tokenize::StreamDecoder> decoder;
  Generation out;
};

Status Session::check(std::span<const int32_t> prompt, const GenerateOptions& options) const {
  ATELIER_RETURN_IF_ERROR(check_sampling_options(options.sampling));
  if (prompt.empty()) return Status::invalid("prompt: 0 tokens, at least 1 is needed; give some text");
  if (static_cast<int64_t>(prompt.size()) >= model_.context()) {
    return Status::out_of_range(fmt::format("prompt: {} tokens, the context of {} must hold it and one more; shorten it or raise --context",
                                            prompt.size(), model_.context()));
  }
  if (!tokenizer_ && !options.stop_strings.empty()) {
    return Status::invalid("stop strings: given, but the model has no tokenizer; use stop ids");
  }
  return {};
}

Result<Generation> Session::generate(std::span<const int32_t> prompt, const GenerateOptions& options, const GenerateHooks& hooks) {
  ATELIER_RETURN_IF_ERROR(check(prompt, options));
  Run run(prompt, options, hooks);
  run.out.num_prompt = static_cast<int64_t>(prompt.size());

  const auto start = std::chrono::steady_clock::now();
  ATELIER_TRY(const std::span<const float> logits, prefill(run));
  run.out.prefill_s = seconds_since(start);
  if (logits.empty()) {  // cancelled within the prompt
    run.out.finish = FinishReason::kCancelled;
    return std::move(run.out);
  }

  if (tokenizer_) {
    run.decoder.emplace(*tokenizer_);
    for (const int32_t id : prompt.last(std::min(prompt.size(), kDecoderContext))) {
      ATELIER_TRY([[maybe_unused]] const std::string seen, run.decoder->push(id));
    }
  }
  const auto decode_start = std::chrono::steady_clock::now();
  ATELIER_RETURN_IF_ERROR(decode(run, logits));
  ATELIER_RETURN_IF_ERROR(finish_text(run));
  run.out.decode_s = seconds_since(decode_start);
  return std::move(run.out);
}

// Brings the cache to the whole prompt; returns the logits [V] of its last token, empty when cancelled.
Result<std::span<const float>> Session::prefill(Run& run) {
  const bool all_logits = run.options.report_prompt;
  const auto mismatch = std::mismatch(tokens_.begin(), tokens_.end(), run.prompt.begin(), run.prompt.end());
  size_t at = static_cast<size_t>(mismatch.first - tokens_.begin());
  at = all_logits ? 0 : std::min(at, run.prompt.size() - 1);  // the last token is computed again: its logits are needed
  model_.truncate(static_cast<int64_t>(at));
  tokens_.resize(at);
  run.out.num_reused = static_cast<int64_t>(at);

  std::span<const float> logits;
  while (at < run.prompt.size()) {
    if (run.is_cancelled()) return std::span<const float>();
    const auto chunk = run.prompt.subspan(at, std::min<size_t>(run.prompt.size() - at, all_logits ? kReportChunk : kPrefillChunk));
    const size_t rows = all_logits ? chunk.size() : 1;
    ATELIER_TRY(logits, model_.forward(chunk, static_cast<int64_t>(rows)));
    tokens_.insert(tokens_.end(), chunk.begin(), chunk.end());
    at += chunk.size();
    const size_t vocabulary = logits.size() / rows;
    for (size_t row = 0; all_logits && row < rows; ++row) {
      const size_t next = at - rows + row + 1;
      if (next == run.prompt.size()) break;
      const auto row_logits = logits.subspan(row * vocabulary, vocabulary);
      ATELIER_TRY(const double normaliser, log_normaliser(row_logits));
      if (run.hooks.on_prompt_token) {
        run.hooks.on_prompt_token(report_token(row_logits, normaliser, run.prompt[next], run.options.num_top));
      }
    }
    logits = logits.last(vocabulary);
  }
  return logits;
}

Status Session::decode(Run& run, std::span<const float> logits) {
  const auto is_stop = [&](int32_t id) { return std::count(run.options.stop_ids.begin(), run.options.stop_ids.end(), id) > 0; };
  const auto finish = [&](FinishReason reason) {
    run.out.finish = reason;
    return Status();
  };
  std::vector<int32_t>& answer = run.out.ids;
  std::vector<int32_t> text(run.prompt.begin(), run.prompt.end());  // prompt and answer, as the samplers see them
  while (true) {
    if (run.options.max_tokens >= 0 && static_cast<int64_t>(answer.size()) >= run.options.max_tokens) return finish(FinishReason::kLength);
    if (run.is_cancelled()) return finish(FinishReason::kCancelled);
    if (!answer.empty()) {
      if (model_.length() == model_.context()) return finish(FinishReason::kContextFull);
      ATELIER_TRY(logits, model_.forward(std::span(&answer.back(), 1), 1));
      tokens_.push_back(answer.back());
    }
    ATELIER_TRY(const double normaliser, log_normaliser(logits));
    const int32_t id = run.chain.sample(logits, {text, run.prompt.size()}, run.options.sequence);
    if (is_stop(id)) return finish(FinishReason::kStopToken);
    text.push_back(id);
    answer.push_back(id);
    if (run.hooks.on_token) {
      run.hooks.on_token(run.options.report_sampled ? report_token(run.chain.candidates(), id, run.options.num_top)
                                                    : report_token(logits, normaliser, id, run.options.num_top));
    }
    ATELIER_RETURN_IF_ERROR(emit(run, id));
    if (run.stop.has_matched()) return finish(FinishReason::kStopString);
  }
}

Status Session::emit(Run& run, int32_t id) {
  if (!run.decoder) return {};
  ATELIER_TRY(const std::string text, run.decoder->push(id));
  run.show(run.stop.push(text));
  return {};
}

Status Session::finish_text(Run& run) {
  if (!run.decoder) return {};
  ATELIER_TRY(const std::string rest, run.decoder->finish());
  run.show(run.stop.push(rest));
  if (run.stop.has_matched()) {
    run.out.finish = FinishReason::kStopString;
    run.out.stop_string = run.stop.matched();
  }
  run.show(run.stop.finish());
  return {};
}

}  // namespace atelier::generate
