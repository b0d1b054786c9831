#include "atelier/generate/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atelier/generate/logprobs.h"

namespace atelier::generate {
namespace {

constexpr int64_t kContextRows = 512;  // rows of one forward pass before the scored ones
constexpr int64_t kScoredRows = 64;    // rows whose logits are held at once

// Tokens [begin, end) run as one sequence; those at `first_scored` and later are scored.
struct Window {
  int64_t begin, end, first_scored;
};

std::vector<Window> fixed_windows(int64_t num_tokens, int64_t context) {
  std::vector<Window> windows;
  for (int64_t begin = 0; begin + context <= num_tokens; begin += context) {
    windows.push_back({begin, begin + context, begin + context / 2 + 1});
  }
  return windows;
}

std::vector<Window> sliding_windows(int64_t num_tokens, int64_t context, int64_t stride) {
  std::vector<Window> windows;
  for (int64_t begin = 0, scored = 1; scored < num_tokens; begin += stride) {
    const int64_t end = std::min(begin + context, num_tokens);
    windows.push_back({begin, end, scored});
    scored = end;
  }
  return windows;
}

// Runs one window; adds its scores to `total`. False when cancelled.
Result<bool> score_window(SequenceModel& model, std::span<const int32_t> tokens, const Window& window, const PerplexityOptions& options,
                          const PerplexityHooks& hooks, Perplexity& total) {
  std::vector<int32_t> ids(tokens.begin() + window.begin, tokens.begin() + window.end);
  if (options.bos) ids[0] = *options.bos;
  model.truncate(0);
  const int64_t first_row = window.first_scored - window.begin - 1;  // the row that predicts the first scored token
  const std::span<const int32_t> all(ids);
  for (int64_t row = 0; row < first_row; row += kContextRows) {
    const auto rows = static_cast<size_t>(std::min(kContextRows, first_row - row));
    ATELIER_TRY([[maybe_unused]] const auto unused, model.forward(all.subspan(static_cast<size_t>(row), rows), 1));
  }
  const int64_t num_rows = static_cast<int64_t>(ids.size()) - 1;  // the last token predicts nothing
  for (int64_t row = first_row; row < num_rows;) {
    if (hooks.is_cancelled && hooks.is_cancelled()) return false;
    const int64_t rows = std::min(kScoredRows, num_rows - row);
    ATELIER_TRY(const auto logits, model.forward(all.subspan(static_cast<size_t>(row), static_cast<size_t>(rows)), rows));
    const size_t vocabulary = logits.size() / static_cast<size_t>(rows);
    for (int64_t i = 0; i < rows; ++i, ++row) {
      const auto row_logits = logits.subspan(static_cast<size_t>(i) * vocabulary, vocabulary);
      const int64_t index = window.begin + row + 1;
      ATELIER_TRY(const double normaliser, log_normaliser(row_logits));
      const double nll = normaliser - row_logits[static_cast<size_t>(tokens[static_cast<size_t>(index)])];
      total.nll += nll;
      ++total.tokens_scored;
      if (hooks.on_token) hooks.on_token({index, nll});
    }
  }
  return true;
}

Status check(const SequenceModel& model, std::span<const int32_t> tokens, const PerplexityOptions& options) {
  const auto count = static_cast<int64_t>(tokens.size());
  if (options.context < 2 || options.context > model.context()) {
    return Status::out_of_range(
        fmt::format("window: {} tokens, must be 2 to {} (the model's context); change --context", options.context, model.context()));
  }
  if (options.stride < 0 || options.stride >= options.context) {
    return Status::invalid(
        fmt::format("stride: {}, must be below the window of {} tokens; change --stride", options.stride, options.context));
  }
  const int64_t needed = options.stride > 0 ? 2 : options.context;
  if (count < needed) {
    return Status::out_of_range(
        fmt::format("text: {} tokens, at least {} are needed; give a longer text or a smaller --context", count, needed));
  }
  return {};
}

}  // namespace

double Perplexity::ppl() const { return std::exp(mean_nll()); }

Result<Perplexity> perplexity(SequenceModel& model, std::span<const int32_t> tokens, const PerplexityOptions& options,
                              const PerplexityHooks& hooks) {
  ATELIER_RETURN_IF_ERROR(check(model, tokens, options));
  const auto count = static_cast<int64_t>(tokens.size());
  auto windows = options.stride > 0 ? sliding_windows(count, options.context, options.stride) : fixed_windows(count, options.context);
  if (options.max_chunks > 0 && static_cast<int64_t>(windows.size()) > options.max_chunks) {
    windows.resize(static_cast<size_t>(options.max_chunks));
  }
  Perplexity total;
  for (const Window& window : windows) {
    ATELIER_TRY(const bool is_done, score_window(model, tokens, window, options, hooks, total));
    if (!is_done)
      return Status::cancelled(fmt::format("perplexity: stopped after {} of {} windows; run it again", total.chunks, windows.size()));
    ++total.chunks;
    if (hooks.on_chunk) hooks.on_chunk(total, static_cast<int64_t>(windows.size()));
  }
  return total;
}

}  // namespace atelier::generate
