// Perplexity of a text: exp of the mean negative log-likelihood of its tokens.
//
// Windows, as llama.cpp's tool makes them: the text's tokens are cut into windows of `context` tokens; where the model adds a BOS, it
// replaces the first token of each window; the tokens at the places context/2 + 1 … context - 1 of a window are scored (255 of 512), so
// that each has at least half a window before it. An incomplete last window is left out.
//
// Sliding windows (stride > 0): windows begin every `stride` tokens and score only the tokens that no earlier window scored, the last
// one may be shorter; as in the transformers guide on perplexity of fixed-length models.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/sequence_model.h"

namespace atelier::generate {

struct PerplexityOptions {
  int64_t context = 512;
  int64_t max_chunks = 0;      // windows to score; 0: all
  int64_t stride = 0;          // > 0: sliding windows
  std::optional<int32_t> bos;  // given when the model adds one
};

struct ScoredToken {
  int64_t index;  // into the text's tokens
  double nll;     // negative log-likelihood, nats
};

struct Perplexity {
  double nll = 0;  // summed
  int64_t tokens_scored = 0;
  int64_t chunks = 0;

  double mean_nll() const { return nll / static_cast<double>(tokens_scored); }
  double ppl() const;
};

struct PerplexityHooks {
  std::function<void(const ScoredToken&)> on_token;
  std::function<void(const Perplexity& so_far, int64_t num_chunks)> on_chunk;
  std::function<bool()> is_cancelled;
};

// `tokens` are the text's, with a BOS in front where the model adds one. OutOfRange when they do not fill one window or the window does not
// fit the model.
Result<Perplexity> perplexity(SequenceModel& model, std::span<const int32_t> tokens, const PerplexityOptions& options,
                              const PerplexityHooks& hooks = {});

}  // namespace atelier::generate
