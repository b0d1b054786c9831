#include "atelier/tokenize/trainers/unigram_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "atelier/parallel/parallel.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

constexpr int64_t kWordsAtOnce = 512;
constexpr int64_t kPiecesAtOnce = 1024;
constexpr double kUnit = 1 << 20;     // expected counts are summed in integers of 1 / kUnit
constexpr double kMinExpected = 0.5;  // pieces below go
constexpr double kSmallest = 1e-280;  // of a word's probability: products of two such still are numbers
constexpr double kAlways = std::numeric_limits<double>::infinity();

// The derivative of log Γ, by its asymptotic series above 7 (Abramowitz and Stegun 6.3.18, in x - 1/2).
double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  const double square = 1 / (x * x);
  const double fourth = square * square;
  return result + std::log(x) + square / 24 - 7 * fourth / 960 + 31 * fourth * square / 8064 - 127 * fourth * fourth / 30720;
}

}  // namespace

// What a thread works with.
struct UnigramModel::Scratch {
  struct Edge {
    uint32_t begin, end;  // bytes of the word
    int32_t piece;
  };
  struct Step {  // the best way to a byte
    double score;
    uint32_t begin;
    int32_t piece;
  };
  std::vector<int64_t> sums;  // by piece
  std::vector<double> forward, backward;
  std::vector<Edge> edges;
  std::vector<Step> best;
};

UnigramModel::UnigramModel(const std::vector<CountedWord>& words, std::vector<SeedPiece> seeds, size_t num_characters) : words_(words) {
  double sum = 0;
  for (const SeedPiece& seed : seeds) sum += static_cast<double>(seed.score);
  pieces_.reserve(seeds.size());
  for (size_t i = 0; i < seeds.size(); ++i) {
    pieces_.push_back({std::move(seeds[i].text), std::log(static_cast<double>(seeds[i].score) / sum), i < num_characters});
  }
  index_pieces();
}

void UnigramModel::index_pieces() {
  std::vector<std::pair<std::string_view, int32_t>> entries;
  entries.reserve(pieces_.size());
  probabilities_.clear();
  for (const UnigramPiece& piece : pieces_) {
    entries.emplace_back(piece.text, static_cast<int32_t>(entries.size()));
    probabilities_.push_back(std::exp(piece.score));
  }
  trie_ = ByteTrie(std::move(entries));
}

size_t UnigramModel::num_pieces() const {
  return pieces_.size() - static_cast<size_t>(std::count(probabilities_.begin(), probabilities_.end(), 0.0));
}

void UnigramModel::remove_dead() {
  std::erase_if(pieces_, [](const UnigramPiece& piece) { return piece.score == kDead; });
  index_pieces();
}

// Adds count · P(piece in a segmentation | word) for every piece. A word so long that its probability is no number is taken in halves.
void UnigramModel::add_expectations(std::string_view word, double count, Scratch& scratch) const {
  const size_t size = word.size();
  scratch.forward.assign(size + 1, 0.0);
  scratch.backward.assign(size + 1, 0.0);
  scratch.edges.clear();
  scratch.forward[0] = 1;
  for (uint32_t begin = 0; begin < size; ++begin) {
    if (scratch.forward[begin] == 0) continue;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (uint32_t end = begin; end < size;) {
      node = trie_.step(node, static_cast<unsigned char>(word[end++]));
      if (node == ByteTrie::kRoot) break;
      const int32_t piece = trie_.value(node);
      if (piece == ByteTrie::kNoValue || probabilities_[static_cast<size_t>(piece)] == 0) continue;
      scratch.forward[end] += scratch.forward[begin] * probabilities_[static_cast<size_t>(piece)];
      scratch.edges.push_back({begin, end, piece});
    }
  }
  const double total = scratch.forward[size];
  if (total < kSmallest) {
    size_t middle = size / 2;
    while (text::is_continuation(word[middle])) --middle;
    if (middle == 0) return;
    add_expectations(word.substr(0, middle), count, scratch);
    add_expectations(word.substr(middle), count, scratch);
    return;
  }
  scratch.backward[size] = kUnit * count / total;
  for (size_t i = scratch.edges.size(); i-- > 0;) {
    const Scratch::Edge& edge = scratch.edges[i];
    const double through = probabilities_[static_cast<size_t>(edge.piece)] * scratch.backward[edge.end];
    scratch.backward[edge.begin] += through;
    scratch.sums[static_cast<size_t>(edge.piece)] += static_cast<int64_t>(scratch.forward[edge.begin] * through + 0.5);
  }
}

// The score of the best segmentation of `word`, with scratch.best to walk back; -infinity where there is none. `excluded` is a piece that
// must not be used, or -1.
double UnigramModel::find_best(std::string_view word, int32_t excluded, Scratch& scratch) const {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  scratch.best.assign(word.size() + 1, {kNone, 0, -1});
  scratch.best[0].score = 0;
  for (uint32_t begin = 0; begin < word.size(); ++begin) {
    if (scratch.best[begin].score == kNone) continue;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (uint32_t end = begin; end < word.size();) {
      node = trie_.step(node, static_cast<unsigned char>(word[end++]));
      if (node == ByteTrie::kRoot) break;
      const int32_t piece = trie_.value(node);
      if (piece == ByteTrie::kNoValue || piece == excluded || probabilities_[static_cast<size_t>(piece)] == 0) continue;
      const double score = scratch.best[begin].score + pieces_[static_cast<size_t>(piece)].score;
      if (score > scratch.best[end].score) scratch.best[end] = {score, begin, piece};
    }
  }
  return scratch.best[word.size()].score;
}

void UnigramModel::count_best(std::string_view word, int64_t count, Scratch& scratch) const {
  find_best(word, -1, scratch);
  for (size_t end = word.size(); end > 0; end = scratch.best[end].begin)
    scratch.sums[static_cast<size_t>(scratch.best[end].piece)] += count;
}

// Per piece: its expected count in units of 1 / kUnit, or how often it stands in the best segmentations.
std::vector<int64_t> UnigramModel::sum_over_words(bool only_best) const {
  std::vector<Scratch> scratches(static_cast<size_t>(num_threads()));
  for (Scratch& scratch : scratches) scratch.sums.assign(pieces_.size(), 0);
  const auto num_words = static_cast<int64_t>(words_.size());
  parallel_for_each((num_words + kWordsAtOnce - 1) / kWordsAtOnce, [&](int64_t unit, int thread) {
    Scratch& scratch = scratches[static_cast<size_t>(thread)];
    for (int64_t i = unit * kWordsAtOnce; i < std::min(num_words, (unit + 1) * kWordsAtOnce); ++i) {
      const CountedWord& word = words_[static_cast<size_t>(i)];
      if (only_best) {
        count_best(word.word, static_cast<int64_t>(word.count), scratch);
      } else {
        add_expectations(word.word, static_cast<double>(word.count), scratch);
      }
    }
  });
  std::vector<int64_t> sums = std::move(scratches[0].sums);
  for (size_t i = 1; i < scratches.size(); ++i) {
    for (size_t piece = 0; piece < sums.size(); ++piece) sums[piece] += scratches[i].sums[piece];
  }
  return sums;
}

void UnigramModel::maximize() {
  const std::vector<int64_t> sums = sum_over_words(/*only_best=*/false);
  std::vector<double> expected(sums.size());
  double total = 0;
  for (size_t i = 0; i < sums.size(); ++i) {
    expected[i] = static_cast<double>(sums[i]) / kUnit;
    if (pieces_[i].is_character) expected[i] = std::max(expected[i], kMinExpected);
    if (expected[i] >= kMinExpected) total += expected[i];
  }
  const double log_total = digamma(total);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const bool is_in = expected[i] >= kMinExpected;
    pieces_[i].score = is_in ? digamma(expected[i]) - log_total : kDead;
    probabilities_[i] = is_in ? std::exp(pieces_[i].score) : 0;
  }
}

// How much log-likelihood the corpus loses without a piece, if the next best segmentation of its text takes its place; kAlways where there
// is none. Negative where the piece's own text has a better segmentation than the piece.
double UnigramModel::loss_without(int32_t piece, const std::vector<int64_t>& counts, double sum, Scratch& scratch) const {
  const UnigramPiece& entry = pieces_[static_cast<size_t>(piece)];
  if (entry.is_character) return kAlways;
  const auto count = static_cast<double>(counts[static_cast<size_t>(piece)]);
  if (count == 0 || find_best(entry.text, piece, scratch) > entry.score) return -1;
  size_t num_alternatives = 0;
  for (size_t end = entry.text.size(); end > 0; end = scratch.best[end].begin) ++num_alternatives;
  const double log_sum = std::log(sum + count * static_cast<double>(num_alternatives - 1));
  double alternative = 0;
  for (size_t end = entry.text.size(); end > 0; end = scratch.best[end].begin) {
    alternative += std::log(static_cast<double>(counts[static_cast<size_t>(scratch.best[end].piece)]) + count) - log_sum;
  }
  return std::max(0.0, count * (std::log(count) - std::log(sum) - alternative));
}

void UnigramModel::prune(size_t num_pieces) {
  remove_dead();
  const std::vector<int64_t> counts = sum_over_words(/*only_best=*/true);
  const auto sum = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  std::vector<double> losses(pieces_.size());
  std::vector<Scratch> scratches(static_cast<size_t>(num_threads()));
  const auto count = static_cast<int64_t>(pieces_.size());
  parallel_for_each((count + kPiecesAtOnce - 1) / kPiecesAtOnce, [&](int64_t unit, int thread) {
    for (int64_t i = unit * kPiecesAtOnce; i < std::min(count, (unit + 1) * kPiecesAtOnce); ++i) {
      losses[static_cast<size_t>(i)] = loss_without(static_cast<int32_t>(i), counts, sum, scratches[static_cast<size_t>(thread)]);
    }
  });
  std::vector<size_t> order(pieces_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return losses[a] > losses[b]; });
  order.resize(std::min(order.size(), num_pieces));
  std::erase_if(order, [&](size_t i) { return losses[i] < 0; });
  std::vector<UnigramPiece> kept;
  kept.reserve(order.size());
  for (const size_t i : order) kept.push_back(std::move(pieces_[i]));
  pieces_ = std::move(kept);
  index_pieces();
}

}  // namespace atelier::tokenize
