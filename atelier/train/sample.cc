#include "atelier/train/sample.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "atelier/base/rng.h"

namespace atelier::train {
namespace {

// The token where the cumulated probability passes u; the likeliest at temperature 0.
int32_t draw(std::span<const float> logits, double temperature, double u) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (temperature <= 0) return static_cast<int32_t>(best - logits.begin());
  std::vector<double> weights(logits.size());
  double total = 0;
  for (size_t v = 0; v < logits.size(); ++v)
    total += weights[v] = std::exp((static_cast<double>(logits[v]) - static_cast<double>(*best)) / temperature);
  double rest = u * total;
  for (size_t v = 0; v < weights.size(); ++v) {
    rest -= weights[v];
    if (rest < 0) return static_cast<int32_t>(v);
  }
  return static_cast<int32_t>(best - logits.begin());
}

}  // namespace

Result<std::string> sample_text(models::TrainableModel& model, const tokenize::Tokenizer& tokenizer, const SampleOptions& options) {
  ATELIER_TRY(std::vector<int32_t> ids, tokenizer.encode_ids(options.prompt));
  if (ids.empty()) return Status::invalid("samples.prompt: has no token; give some text");
  const size_t num_prompt = ids.size();
  Arena arena;
  Context context{arena, Precision::kF32, nullptr, nullptr};
  for (int64_t i = 0; i < options.num_tokens; ++i) {
    const auto length = std::min<int64_t>(static_cast<int64_t>(ids.size()), options.context);
    const std::span<const int32_t> window = std::span<const int32_t>(ids).last(static_cast<size_t>(length));
    const nn::RowRun run{nullptr, length, 0};
    arena.reset();
    const Tensor hidden = model.decoder().forward(context, window, {&run, 1});
    const Tensor logits = model.decoder().logits(context, hidden.rows(length - 1, length));
    const int64_t V = std::min(logits.count(), tokenizer.vocab_size());
    const double u = random_uniform(options.seed, options.step, static_cast<uint64_t>(i));
    const int32_t id = draw({logits.f32(), static_cast<size_t>(V)}, options.temperature, u);
    if (id == tokenizer.eos()) break;
    ids.push_back(id);
  }
  return tokenizer.decode(std::span<const int32_t>(ids).subspan(num_prompt));
}

}  // namespace atelier::train
