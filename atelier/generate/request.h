// What one generation is asked for, what it tells while it runs, and what it ends with.
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
#include "atelier/generate/token_rules.h"

namespace atelier::generate {

// Says which tokens may come next: sets the bits of the allowed ids in `allowed` (bit id % 64 of word id / 64, all clear before).
// `answer` are the tokens of the answer so far. Asked exactly once for every position whose token is chosen, in order, speculated ones
// included; a token of a draft that the answer does not take is never shown to it. It fails closed: an error, or no bit set for any
// token of finite logit, ends the request with an error. May be called from any thread of the team, never twice at once.
using TokenMask = std::function<Status(std::span<const int32_t> answer, std::span<uint64_t> allowed)>;

// An adapter that adds to the model (nn/adapter.h), by the id under which the engine holds it.
struct AdapterChoice {
  std::string id;
  float weight = 1;
};

// When a beam search ends: once as many beams have finished as are written at once and none of those can become better, judged by its
// length of now (kNo) or by the most favourable length (kNever); or at once (kYes).
enum class EarlyStopping : uint8_t { kNo, kYes, kNever };

// What a beam's log-probability is divided by: length^penalty, or ((5 + length) / 6)^penalty (Wu et al. 2016, arXiv:1609.08144, eq. 14).
enum class LengthNormal : uint8_t { kLength, kGnmt };

struct BeamOptions {
  int64_t num_beams = 1;      // 1: no beam search; the samplers choose
  double length_penalty = 1;  // above 0 favours long beams
  LengthNormal length_normal = LengthNormal::kLength;
  EarlyStopping early_stopping = EarlyStopping::kNo;
};

struct GenerateOptions {
  SamplingOptions sampling;
  int64_t max_tokens = -1;                // of the answer; -1: until it ends or the context is full
  std::vector<int32_t> stop_ids;          // tokens that end the answer; they are not part of it
  std::vector<std::string> stop_strings;  // texts that end the answer; they are not part of it
  int num_top = 0;                        // likeliest alternatives reported with each token
  bool report_prompt = false;             // also report the prompt's tokens (from the second on); computes the whole prompt
  bool report_sampled = false;            // report probabilities after the samplers instead of the model's own
  TokenRules rules;
  BeamOptions beams;                    // with them no samplers, stop strings, masks and reports of the answer's tokens
  std::vector<AdapterChoice> adapters;  // several are added up, in this order; none: the model alone
  int64_t num_virtual = 0;              // first tokens of the prompt that are an adapter's (nn/adapter.h): the engine puts them there
  std::vector<int32_t> decoder_prompt;  // what a decoder with an encoder writes its answer behind; none: the model's own start
  std::vector<int32_t> shown_ids;       // special tokens whose spelling is part of the text
  uint64_t sequence = 0;                // with the seed and the position, chooses the random numbers
  TokenMask mask;                       // empty: every token may come
};

enum class FinishReason { kStopToken, kStopString, kLength, kContextFull, kCancelled };
const char* finish_reason_name(FinishReason reason);  // "stop", "stop_string", "length", "context", "cancelled"

// A finished beam.
struct Beam {
  FinishReason finish = FinishReason::kLength;
  std::vector<int32_t> ids;  // without the stop token
  std::string text;
  double score = 0;
};

struct Generation {
  FinishReason finish = FinishReason::kLength;
  std::string stop_string;   // when that was the reason
  std::vector<int32_t> ids;  // the answer, without the stop token
  std::string text;          // all that on_text got
  std::vector<Beam> beams;   // of a beam search, the best first, which is also the answer above
  int64_t num_prompt = 0;    // of a decoder with an encoder: what the answer stands behind
  int64_t num_source = 0;    // tokens that the encoder has read
  int64_t num_reused = 0;    // tokens of the prompt that were not computed: their keys and values were there
  int64_t num_drafted = 0;   // tokens that speculation proposed
  int64_t num_accepted = 0;  // of those, the ones that the answer took
  double queued_s = 0, prefill_s = 0, decode_s = 0;
};

// All are optional, and called on the owner thread.
struct GenerateHooks {
  std::function<void(const TokenReport&)> on_prompt_token;
  std::function<void(const TokenReport&)> on_token;  // each token of the answer, before the text that it makes certain
  std::function<void(std::string_view)> on_text;
  std::function<bool()> is_cancelled;                        // asked at each step of the engine
  std::function<void(const Result<Generation>&)> on_finish;  // the last call
};

struct Request {
  std::vector<int32_t> prompt;  // for a decoder with an encoder: the source that this reads
  GenerateOptions options;
  GenerateHooks hooks;
  int priority = 0;         // larger ones are admitted first; who waits long moves up
  std::string cache_scope;  // only requests of the same scope share cached prefixes
};

}  // namespace atelier::generate
