// Generation of one sequence: prompt ids in, a stream of tokens and text out.
//
// A session remembers which tokens are in the model's cache. A prompt that begins as the last one did (the next turn of a
// conversation) computes only what is new. Text is handed out as soon as it is certain: no half characters, nothing that could still
// become a stop string.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/logprobs.h"
#include "atelier/generate/sampler.h"
#include "atelier/generate/sequence_model.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

struct GenerateOptions {
  SamplingOptions sampling;
  int64_t max_tokens = -1;                // of the answer; -1: until it ends or the context is full
  std::vector<int32_t> stop_ids;          // tokens that end the answer; they are not part of it
  std::vector<std::string> stop_strings;  // texts that end the answer; they are not part of it
  int num_top = 0;                        // likeliest alternatives reported with each token
  bool report_prompt = false;             // also report the prompt's tokens (from the second on); computes the whole prompt
  bool report_sampled = false;            // report probabilities after the samplers instead of the model's own
  uint64_t sequence = 0;                  // with the seed and the position, chooses the random numbers
};

struct GenerateHooks {
  std::function<void(const TokenReport&)> on_prompt_token;
  std::function<void(const TokenReport&)> on_token;  // each token of the answer, before the text that it makes certain
  std::function<void(std::string_view)> on_text;
  std::function<bool()> is_cancelled;  // asked before each token and each piece of the prompt
};

enum class FinishReason { kStopToken, kStopString, kLength, kContextFull, kCancelled };
const char* finish_reason_name(FinishReason reason);  // "stop", "stop_string", "length", "context", "cancelled"

struct Generation {
  FinishReason finish = FinishReason::kLength;
  std::string stop_string;   // when that was the reason
  std::vector<int32_t> ids;  // the answer, without the stop token
  std::string text;          // all that on_text got
  int64_t num_prompt = 0;
  int64_t num_reused = 0;  // tokens of the prompt that were already in the cache
  double prefill_s = 0, decode_s = 0;
};

class Session {
 public:
  // `tokenizer` may be null: then there is no text, and stop strings are refused. Both must outlive the session.
  Session(SequenceModel& model, const tokenize::Tokenizer* tokenizer) : model_(model), tokenizer_(tokenizer) {}

  // The prompt must hold at least one token and leave room for one more in the context: OutOfRange names both numbers otherwise.
  Result<Generation> generate(std::span<const int32_t> prompt, const GenerateOptions& options, const GenerateHooks& hooks = {});

 private:
  struct Run;  // one call of generate()
  Status check(std::span<const int32_t> prompt, const GenerateOptions& options) const;
  Result<std::span<const float>> prefill(Run& run);
  Status decode(Run& run, std::span<const float> logits);
  Status emit(Run& run, int32_t id);
  Status finish_text(Run& run);

  SequenceModel& model_;
  const tokenize::Tokenizer* tokenizer_;
  std::vector<int32_t> tokens_;  // what the model's cache holds
};

}  // namespace atelier::generate
