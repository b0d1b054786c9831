#include "atelier/data/masking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atelier/base/rng.h"

namespace atelier::data {
namespace {

// Random numbers of one sample: each use has a range of places of its own.
class Draws {
 public:
  Draws(uint64_t seed, uint64_t sample) : seed_(seed), sample_(sample) {}
  uint64_t order(size_t word) const { return random_bits(seed_, sample_, word, 0); }
  double kind(size_t position) const { return random_uniform(seed_, sample_, kKinds + position, 0); }
  double keeps(size_t position) const { return random_uniform(seed_, sample_, kKinds + position, 1); }
  double token(size_t position) const { return random_uniform(seed_, sample_, kTokens + position, 0); }

 private:
  static constexpr uint64_t kKinds = uint64_t{1} << 40, kTokens = uint64_t{2} << 40;
  uint64_t seed_, sample_;
};

using Word = std::pair<size_t, size_t>;  // positions [first, last)

// What is chosen together, in random order.
std::vector<Word> shuffled_words(const ObjectiveTokens& vocabulary, const Example& example, size_t begin, size_t end, bool whole_words,
                                 const Draws& draws) {
  std::vector<Word> words;
  for (size_t t = begin; t < end; ++t) {
    const bool continues = whole_words && !words.empty() && vocabulary.continues[static_cast<size_t>(example.ids[t])];
    continues ? void(words.back().second = t + 1) : words.push_back({t, t + 1});
  }
  std::vector<size_t> order(words.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t word) { return draws.order(word); });
  std::vector<Word> out;
  for (const size_t word : order) out.push_back(words[word]);
  return out;
}

int32_t replacement(const ObjectiveTokens& vocabulary, int32_t id, size_t position, const Draws& draws) {
  if (draws.kind(position) < 0.8) return vocabulary.mask;
  if (draws.keeps(position) < 0.5) return id;
  return static_cast<int32_t>(draws.token(position) * static_cast<double>(vocabulary.vocab_size));
}

}  // namespace

Example mask_tokens(const ObjectiveTokens& vocabulary, std::span<const int32_t> tokens, bool whole_words, uint64_t seed, uint64_t sample) {
  const auto& [before, between, after, has_pairs, second_segment] = vocabulary.frame;
  Example out;
  out.ids = before;
  out.ids.insert(out.ids.end(), tokens.begin(), tokens.end());
  out.ids.insert(out.ids.end(), after.begin(), after.end());
  out.labels.assign(out.ids.size(), kIgnoredLabel);
  const Draws draws(seed, sample);
  const size_t wanted = std::max<size_t>(1, static_cast<size_t>(std::nearbyint(static_cast<double>(out.ids.size()) * kMaskedPart)));
  size_t count = 0;
  for (const auto& [first, last] : shuffled_words(vocabulary, out, before.size(), before.size() + tokens.size(), whole_words, draws)) {
    if (count >= wanted) break;
    if (count + (last - first) > wanted) continue;
    for (size_t t = first; t < last; ++t) out.labels[t] = out.ids[t];
    count += last - first;
  }
  for (size_t t = 0; t < out.ids.size(); ++t) {
    if (out.labels[t] != kIgnoredLabel) out.ids[t] = replacement(vocabulary, out.ids[t], t, draws);
  }
  return out;
}

}  // namespace atelier::data
