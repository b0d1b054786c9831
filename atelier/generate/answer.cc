#include "atelier/generate/answer.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/error.h"

namespace atelier::generate {
namespace {
constexpr size_t kDecoderContext = 4;  // prompt tokens that the text decoder sees before the answer (leading spaces, split characters)
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

Answer::Answer(std::span<const int32_t> prompt, GenerateOptions options, GenerateHooks hooks, const tokenize::Tokenizer* tokenizer)
    : tokens_(prompt.begin(), prompt.end()),
      num_prompt_(prompt.size()),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      tokenizer_(tokenizer),
      chain_(options_.sampling),
      stop_(options_.stop_strings) {
  out_.num_prompt = static_cast<int64_t>(num_prompt_);
  if (options_.max_tokens <= 0) return;
  out_.ids.reserve(static_cast<size_t>(options_.max_tokens));
  tokens_.reserve(num_prompt_ + static_cast<size_t>(options_.max_tokens));
}

Status Answer::report_prompt_token(size_t index, std::span<const float> logits) {
  ATELIER_TRY(const double normaliser, log_normaliser(logits));
  if (hooks_.on_prompt_token) hooks_.on_prompt_token(report_token(logits, normaliser, tokens_[index], options_.num_top));
  return {};
}

// Empty without a mask and rules.
Result<std::span<const uint64_t>> Answer::allowed_tokens(size_t vocabulary) {
  if (!options_.mask && options_.rules.is_empty()) return std::span<const uint64_t>();
  allowed_.assign((vocabulary + 63) / 64, options_.mask ? 0 : ~uint64_t{0});
  const auto answer = std::span(tokens_).subspan(num_prompt_);
  if (options_.mask) ATELIER_RETURN_IF_ERROR(options_.mask(answer, allowed_).with_context("token mask"));
  apply_rules(options_.rules, {text_tokens(), std::ssize(answer), options_.max_tokens, options_.stop_ids}, allowed_);
  return std::span<const uint64_t>(allowed_);
}

Result<Answer::Choice> Answer::choose(std::span<const float> logits) {
  Choice choice;
  ATELIER_TRY(choice.normaliser, log_normaliser(logits));
  ATELIER_TRY(const auto allowed, allowed_tokens(logits.size()));
  const bool needs_candidates = !chain_.is_greedy() || options_.report_sampled;
  choice.id = needs_candidates ? chain_.sample(logits, {text_tokens(), num_prompt_text()}, options_.sequence, allowed)
                               : likeliest_token(logits, allowed);
  if (choice.id < 0)
    return Status::invalid("token mask, rules: they allow no token that the model can say, at least 1 is needed; widen them");
  return choice;
}

Status Answer::take(const Choice& choice, std::span<const float> logits) {
  if (std::count(options_.stop_ids.begin(), options_.stop_ids.end(), choice.id) > 0) return end(FinishReason::kStopToken);
  if (hooks_.on_token) {
    hooks_.on_token(options_.report_sampled ? report_token(chain_.candidates(), choice.id, options_.num_top)
                                            : report_token(logits, choice.normaliser, choice.id, options_.num_top));
  }
  return append(choice.id);
}

Status Answer::append(int32_t id) {
  if (tokenizer_ != nullptr && !decoder_) ATELIER_RETURN_IF_ERROR(start_text());
  tokens_.push_back(id);
  out_.ids.push_back(id);
  if (decoder_) {
    ATELIER_TRY(std::string text, decoder_->push(id));
    if (std::count(options_.shown_ids.begin(), options_.shown_ids.end(), id) > 0) text += tokenizer_->id_to_token(id);
    show(stop_.push(text));
    if (stop_.has_matched()) return end(FinishReason::kStopString);
  }
  if (static_cast<int64_t>(out_.ids.size()) == options_.max_tokens) return end(FinishReason::kLength);
  return {};
}

int32_t Answer::guess(std::span<const float> logits, std::span<const int32_t> tokens) {
  return chain_.sample(logits, {text_of(tokens), num_prompt_text()}, options_.sequence, {});
}

Status Answer::end(FinishReason reason) {
  ATELIER_CHECK(!has_ended_);
  has_ended_ = true;
  out_.finish = reason;
  if (!decoder_) return {};
  ATELIER_TRY(const std::string rest, decoder_->finish());
  show(stop_.push(rest));
  if (stop_.has_matched()) {
    out_.finish = FinishReason::kStopString;
    out_.stop_string = stop_.matched();
  }
  show(stop_.finish());
  return {};
}

Status Answer::start_text() {
  decoder_.emplace(*tokenizer_);
  for (const int32_t id : prompt().last(std::min(num_prompt_text(), kDecoderContext))) {
    ATELIER_TRY([[maybe_unused]] const std::string seen, decoder_->push(id));
  }
  return {};
}

void Answer::show(const std::string& text) {
  if (text.empty()) return;
  out_.text += text;
  if (hooks_.on_text) hooks_.on_text(text);
}

}  // namespace atelier::generate
