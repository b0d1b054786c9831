#include "atelier/train/sample.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>

#include "atelier/base/error.h"
#include "atelier/base/rng.h"
#include "atelier/nn/kv_cache.h"

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

// A transformer with the keys and values of what it has read.
class Reader {
 public:
  static Result<Reader> create(nn::Transformer& transformer, int64_t context, const nn::Adapter* adapter) {
    const int64_t num_virtual = adapter != nullptr ? adapter->num_virtual : 0;
    ATELIER_TRY(nn::KvCache cache, nn::KvCache::create(transformer.spec(), DType::kF32, context + num_virtual));
    return Reader(transformer, std::move(cache), adapter, num_virtual);
  }

  // Logits [V] behind the last of `ids`, of which those that were read before are not read again. They live until the next call.
  std::span<const float> logits_behind(std::span<const int32_t> ids) {
    const int64_t context_size = cache_.context() - num_virtual_;
    if (num_dropped_ + context_size < static_cast<int64_t>(ids.size())) {
      cache_.truncate(0);
      num_dropped_ = static_cast<int64_t>(ids.size()) - std::max<int64_t>(context_size / 2, 1);
    }
    rows_.clear();
    if (cache_.length() == 0) {  // virtual tokens come first
      rows_.resize(static_cast<size_t>(num_virtual_));
      std::iota(rows_.begin(), rows_.end(), static_cast<int32_t>(transformer_->spec().vocab_size));
    }
    const int64_t num_read = std::max<int64_t>(0, cache_.length() - num_virtual_);
    const auto unread = ids.subspan(static_cast<size_t>(num_dropped_ + num_read));
    rows_.insert(rows_.end(), unread.begin(), unread.end());
    const auto num_rows = static_cast<int64_t>(rows_.size());
    const bool has_room = cache_.reserve(num_rows);
    ATELIER_CHECK(has_room);  // the cache has a pool of its own
    const nn::RowRun run{&cache_, num_rows};
    arena_->reset();
    Context context{*arena_, Precision::kF32, nullptr, nullptr};
    const Tensor hidden = transformer_->forward(context, rows_, {&run, 1}, {.adapter = adapter_});
    const Tensor logits = transformer_->logits(context, hidden.rows(num_rows - 1, num_rows));
    return {logits.f32(), static_cast<size_t>(logits.count())};
  }

 private:
  Reader(nn::Transformer& transformer, nn::KvCache cache, const nn::Adapter* adapter, int64_t num_virtual)
      : transformer_(&transformer), cache_(std::move(cache)), adapter_(adapter), num_virtual_(num_virtual) {}
  nn::Transformer* transformer_;
  nn::KvCache cache_;
  const nn::Adapter* adapter_;
  int64_t num_virtual_;
  std::vector<int32_t> rows_;
  std::unique_ptr<Arena> arena_ = std::make_unique<Arena>();
  int64_t num_dropped_ = 0;  // ids before the first in the cache
};

}  // namespace

Result<std::string> sample_text(nn::Transformer& transformer, const tokenize::Tokenizer& tokenizer, const SampleOptions& options) {
  std::vector<int32_t> ids = options.prompt;
  if (ids.empty()) return Status::invalid("sample: the prompt has no token; give some text");
  if (static_cast<int64_t>(ids.size()) > options.context) ids.erase(ids.begin(), ids.end() - options.context);
  const size_t num_prompt = ids.size();
  ATELIER_TRY(Reader reader, Reader::create(transformer, options.context, options.adapter));
  for (int64_t i = 0; i < options.num_tokens; ++i) {
    const std::span<const float> logits = reader.logits_behind(ids);
    const auto vocab_size = std::min(logits.size(), static_cast<size_t>(tokenizer.vocab_size()));
    const double u = random_uniform(options.seed, options.stream, static_cast<uint64_t>(i));
    const int32_t id = draw(logits.first(vocab_size), options.temperature, u);
    if (std::ranges::find(options.stop_ids, id) != options.stop_ids.end()) break;
    ids.push_back(id);
  }
  return tokenizer.decode(std::span<const int32_t>(ids).subspan(num_prompt));
}

}  // namespace atelier::train
