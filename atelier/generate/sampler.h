// Samplers: small functions that edit or narrow the candidates for the next token.
//
// A sampler is one file in generate/samplers/ that exports one `const SamplerDef sampler_<name>`; CMake writes the table. They run in
// ascending `order` (docs/guide/sampling.md):
//
//   logit bias, repetition penalty, presence penalty, frequency penalty, DRY     edit logits of the whole vocabulary
//   top-k, typical-p, top-p, min-p                                               narrow the candidates
//   temperature                                                                  flattens or sharpens what is left
//
// then one token is drawn (sampler_chain.h). The order is llama.cpp's: the narrowing samplers see the model's own probabilities, and the
// temperature acts last. transformers applies the temperature before top-k; with temperature 1 both agree.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "atelier/generate/candidates.h"

namespace atelier::generate {

struct SamplingOptions {
  std::vector<std::pair<int32_t, float>> logit_bias;  // added to the logit of a token; -infinity forbids it

  double repetition_penalty = 1;  // > 1 makes tokens of the prompt and the answer less likely (CTRL, Keskar et al. 2019); 1: off
  double presence_penalty = 0;    // subtracted once from every token of the answer so far (OpenAI); 0: off
  double frequency_penalty = 0;   // subtracted per occurrence in the answer so far (OpenAI); 0: off
  int64_t penalty_window = 0;     // the penalties above look at this many latest tokens; 0: all

  double dry_multiplier = 0;                              // strength of DRY; 0: off
  double dry_base = 1.75;                                 // grows the penalty with the length of the repetition
  int64_t dry_allowed_length = 2;                         // repetitions up to this length are free
  int64_t dry_window = 0;                                 // looks at this many latest tokens; 0: all
  std::shared_ptr<const std::vector<bool>> dry_breakers;  // [V]: tokens that no repetition crosses; null: none

  int64_t top_k = 0;       // keeps the k likeliest (and ties with the last of them); 0: off
  double typical_p = 1;    // keeps the tokens nearest to the expected surprise, up to this mass (Meister et al. 2022); 1: off
  double top_p = 1;        // keeps the smallest set of likeliest tokens with this mass (Holtzman et al. 2019); 1: off
  double min_p = 0;        // keeps tokens at least this likely relative to the likeliest (Nguyen et al. 2024); 0: off
  double temperature = 1;  // divides the logits; 0: always the likeliest token
  uint64_t seed = 0;
};

// The tokens so far: prompt, then answer.
struct SamplerContext {
  std::span<const int32_t> tokens;
  size_t num_prompt = 0;  // the first of `tokens` are the prompt
};

struct SamplerDef {
  const char* name;
  const char* summary;  // one line for `atelier list samplers`
  const char* source;   // paper or the implementation that the formula equals
  int order;            // position in the chain; edits of the dense vocabulary are below kFirstNarrowing
  bool (*is_active)(const SamplingOptions& options);
  void (*apply)(const SamplingOptions& options, const SamplerContext& context, Candidates& candidates);
};

inline constexpr int kFirstNarrowing = 100;

// Every sampler, sorted by file name.
std::span<const SamplerDef* const> samplers();

// The tokens that a penalty with `window` looks at: the latest `window` of `tokens`, all when it is 0.
inline std::span<const int32_t> latest(std::span<const int32_t> tokens, int64_t window) {
  if (window <= 0 || static_cast<size_t>(window) >= tokens.size()) return tokens;
  return tokens.last(static_cast<size_t>(window));
}

}  // namespace atelier::generate
