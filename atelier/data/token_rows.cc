#include "atelier/data/token_rows.h"

#include <algorithm>

#include "atelier/base/rng.h"
#include "atelier/data/shuffle.h"

namespace atelier::data {
namespace {

// Tokens [begin, begin + length) and what follows each.
Row row_at(std::span<const int32_t> tokens, int64_t begin, int64_t length, uint64_t sample) {
  Row row;
  const auto first = tokens.begin() + begin;
  row.append({{first, first + length}, {first + 1, first + length + 1}}, sample);
  return row;
}

class TokenRowSource : public RowSource {
 public:
  TokenRowSource(std::vector<TokenPart> parts, std::vector<double> weights, TokenSampling sampling, int64_t context, uint64_t seed)
      : parts_(std::move(parts)), mixture_(std::move(weights), seed), sampling_(sampling), context_(context), seed_(seed) {}

  Result<Row> next() override {
    const auto sample = static_cast<uint64_t>(mixture_.num_draws());
    const Mixture::Draw draw = mixture_.next();
    const auto tokens = parts_[draw.part].tokens;
    return row_at(tokens, begin_of(draw, static_cast<int64_t>(tokens.size())), context_, sample);
  }
  Json cursor() const override { return mixture_.cursor(); }
  Status restore(const Json& cursor) override { return mixture_.restore(cursor); }

 private:
  int64_t begin_of(const Mixture::Draw& draw, int64_t count) const {
    const uint64_t seed = seed_ + draw.part;
    if (sampling_ == TokenSampling::kCrops) {
      return static_cast<int64_t>(random_bits(seed, 0, static_cast<uint64_t>(draw.number)) % static_cast<uint64_t>(count - context_));
    }
    const int64_t num_blocks = (count - 1) / context_;
    return context_ * shuffled(seed, static_cast<uint64_t>(draw.number / num_blocks), draw.number % num_blocks, num_blocks);
  }

  std::vector<TokenPart> parts_;
  Mixture mixture_;
  TokenSampling sampling_;
  int64_t context_;
  uint64_t seed_;
};

}  // namespace

Result<std::unique_ptr<RowSource>> token_rows(std::vector<TokenPart> parts, TokenSampling sampling, int64_t context, uint64_t seed) {
  std::vector<double> weights;
  for (const TokenPart& part : parts) {
    if (static_cast<int64_t>(part.tokens.size()) <= context) {
      return Status::invalid("data: a file of " + std::to_string(part.tokens.size()) + " tokens, must be more than the context of " +
                             std::to_string(context) + "; lower data.context");
    }
    weights.push_back(part.weight);
  }
  return std::unique_ptr<RowSource>(std::make_unique<TokenRowSource>(std::move(parts), std::move(weights), sampling, context, seed));
}

std::vector<Row> consecutive_rows(std::span<const int32_t> tokens, int64_t context) {
  std::vector<Row> rows;
  const auto count = static_cast<int64_t>(tokens.size());
  for (int64_t begin = 0; begin + 1 < count; begin += context) {
    rows.push_back(row_at(tokens, begin, std::min(context, count - 1 - begin), rows.size()));
  }
  return rows;
}

}  // namespace atelier::data
