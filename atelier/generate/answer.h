// One answer in the making: from the logits of each position to a token, its report and its text.
//
// An answer knows nothing of models and caches. Whoever runs the model hands in the logits that stand behind tokens(), one position
// after the other; the answer chooses the token, decides whether that was the last one and hands out text as soon as it is certain: no
// half characters, nothing that could still become a stop string.
#pragma once

#include <optional>

#include "atelier/generate/request.h"
#include "atelier/generate/sampler_chain.h"
#include "atelier/generate/stop_text.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

class Answer {
 public:
  // `tokenizer` may be null: then there is no text. It must outlive the answer.
  Answer(std::span<const int32_t> prompt, GenerateOptions options, GenerateHooks hooks, const tokenize::Tokenizer* tokenizer);

  std::span<const int32_t> tokens() const { return tokens_; }                // prompt, then answer
  std::span<const int32_t> text_tokens() const { return text_of(tokens_); }  // the same without virtual tokens
  std::span<const int32_t> prompt() const { return std::span(tokens_).first(num_prompt_); }
  const GenerateOptions& options() const { return options_; }
  const GenerateHooks& hooks() const { return hooks_; }
  bool has_ended() const { return has_ended_; }
  Generation& generation() { return out_; }
  const Generation& generation() const { return out_; }

  // Tells the report of prompt token `index` (from 1 on) from the logits [V] before it.
  Status report_prompt_token(size_t index, std::span<const float> logits);

  // The token behind tokens(), from the logits [V] there. choose() calls no hook but the mask, so that answers may choose on several
  // threads; take() then adds the token and tells the hooks. Errors: logits that are no numbers, a mask that allows nothing.
  struct Choice {
    int32_t id = -1;
    double normaliser = 0;
  };
  Result<Choice> choose(std::span<const float> logits);
  Status take(const Choice& choice, std::span<const float> logits);

  // Adds a token that was chosen elsewhere. Stop ids mean nothing here, and no hook but on_text hears of it.
  Status append(int32_t id);

  // The token that this answer's samplers and random numbers would choose behind `tokens`, from a draft model's logits.
  int32_t guess(std::span<const float> logits, std::span<const int32_t> tokens);

  // Ends for a reason outside the tokens: cancelled, context full, or the limit of zero tokens.
  Status end(FinishReason reason);

 private:
  std::span<const int32_t> text_of(std::span<const int32_t> tokens) const {
    return tokens.subspan(static_cast<size_t>(options_.num_virtual));
  }
  size_t num_prompt_text() const { return num_prompt_ - static_cast<size_t>(options_.num_virtual); }
  Result<std::span<const uint64_t>> allowed_tokens(size_t vocabulary);
  Status start_text();
  void show(const std::string& text);

  std::vector<int32_t> tokens_;
  size_t num_prompt_;
  GenerateOptions options_;
  GenerateHooks hooks_;
  const tokenize::Tokenizer* tokenizer_;
  SamplerChain chain_;
  StopText stop_;
  std::optional<tokenize::StreamDecoder> decoder_;
  std::vector<uint64_t> allowed_;  // [ceil(V / 64)], with a mask or rules
  bool has_ended_ = false;
  Generation out_;
};

}  // namespace atelier::generate
