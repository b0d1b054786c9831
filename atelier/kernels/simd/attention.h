// Attention of a block of query rows with the heads of one kv head over one span of keys, by the online softmax
// (Dao et al. 2022, arXiv:2205.14135).
//
// Key tiles are the pages of the cache and are walked in ascending order. Keys and values of a tile are put into panels once for all
// queries of the block, and then each query, for itself, takes the keys of the tile that it sees:
//
//   m' = max(m, max_s score_s)     c = 2^(m - m')     w_s = 2^(score_s - m')
//   l  = l c + sum_s w_s           o = o c + sum_s w_s v_s     (s ascending)
//
// Scores are in units of log 2. A tile that a query does not see leaves it untouched, and a key that it does not see adds nothing to its
// sums, whatever that key is: so the result does not depend on how rows are put into blocks.
#pragma once

#include "atelier/kernels/simd/attention_products.h"
#include "atelier/kernels/simd/kv_rows.h"
#include "atelier/kernels/simd/math.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S, class P>
class AttentionKernel {
 public:
  using F = typename S::F;
  static constexpr int64_t kLanes = S::kLanes;

  static void attention(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
    AttentionKernel kernel(shape, block, sums, scratch);
    kernel.read_queries();
    const int64_t end = min(block.first_position + block.num_rows, (span + 1) * kKeySpan);
    for (int64_t tile = max(kernel.first_key(0), span * kKeySpan) / kKeyTile * kKeyTile; tile < end; tile += kKeyTile) {
      kernel.add_tile(tile, tile + kKeyTile < end);
    }
  }

 private:
  static constexpr int kRows = S::kTileRows;    // queries of a tile of sums
  static constexpr int64_t kGroup = 4 * kRows;  // queries whose scores stay in the L1 cache
  static constexpr int64_t kGroupFloats = (kGroup + kLanes - 1) / kLanes * kLanes;
  static constexpr int64_t kSteps = kKeyTile / P::kInputsPerStep;  // of a sum over the keys of a tile
  static constexpr float kLog2E = 1.44269504088896341f;

  struct Range {  // of keys, relative to a tile
    int64_t begin, end;
    bool operator==(const Range&) const = default;
    bool empty() const { return begin >= end; }
    bool full() const { return begin == 0 && end == kKeyTile; }
  };

  static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
  static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

  AttentionKernel(const AttentionShape& shape, const AttentionBlock& block, const AttentionSums& sums, float* scratch)
      : shape_(shape),
        block_(block),
        sums_(sums),
        width_(sums.width),
        num_queries_(block.num_rows * block.num_heads),
        query_steps_((shape.head_dim + P::kInputsPerStep - 1) / P::kInputsPerStep) {
    keys_ = scratch;
    values_ = keys_ + kKeyTile * width_;
    scores_ = values_ + kKeyTile * width_;
    weights_ = scores_ + kGroup * kKeyTile;
    corrections_ = weights_ + kGroup * kKeyTile;
    shifts_ = corrections_ + kGroupFloats;
    queries_ = shifts_ + kGroupFloats;
  }

  // Query i is head i % num_heads of row i / num_heads.
  int64_t position(int64_t row) const { return block_.first_position + row; }
  int64_t first_key(int64_t row) const { return shape_.window > 0 ? max(0, position(row) + 1 - shape_.window) : 0; }
  Range seen(int64_t row, int64_t tile) const { return {max(0, first_key(row) - tile), min(kKeyTile, position(row) + 1 - tile)}; }

  // What the panels' values are multiplied by: queries and weights bring it in.
  float unit() const { return block_.dtype == DType::kF16 ? P::kUnitF16 : 1.0f; }

  void read_queries() {
    const F scale = S::set1((shape_.soft_cap > 0 ? shape_.scale : shape_.scale * kLog2E) * unit());
    for (int64_t i = 0; i < num_queries_; ++i) {
      const float* q = block_.q + i / block_.num_heads * block_.ldq + i % block_.num_heads * shape_.head_dim;
      for (int64_t d = 0; d < width_; d += P::kInputsPerStep * kLanes) {
        F inputs[P::kInputsPerStep];
        for (int64_t n = 0; n < P::kInputsPerStep; ++n) {
          inputs[n] = S::mul(scale, load_kv<S, KvRowsF32<S>>(reinterpret_cast<const uint8_t*>(q), d + n * kLanes, shape_.head_dim));
        }
        S::store(queries_ + i * width_ + d / P::kInputsPerStep, P::pack(inputs));
      }
      for (int64_t d = 0; d < width_; d += kLanes) S::store(sums_.values + i * width_ + d, S::zero());
      sums_.largest[i] = -__builtin_inff();
      sums_.totals[i] = 0;
    }
  }

  // Rows that see a key of the tile are consecutive.
  void add_tile(int64_t tile, bool has_next) {
    int64_t begin = 0, end = block_.num_rows;
    while (begin < end && seen(begin, tile).empty()) ++begin;
    while (begin < end && seen(end - 1, tile).empty()) --end;
    if (begin == end) return;
    const Range keys = {seen(begin, tile).begin, seen(end - 1, tile).end};
    read_tile(tile, keys, has_next);
    const int64_t last = end * block_.num_heads;
    for (int64_t i = begin * block_.num_heads; i < last; i += kGroup) add_group(i, min(kGroup, last - i), tile);
  }

  // Panels of keys [query_steps, kKeyTile] and values [kSteps, width], in words; zeros for keys outside `keys`.
  void read_tile(int64_t tile, Range keys, bool has_next) {
    const uint8_t* keys_at = block_.pages[tile / kKeyTile] + block_.offset;
    const uint8_t* values_at = keys_at + kKeyTile * block_.row_bytes;
    // The tiles of a head are too short for the processor to foresee the next. The L1 cache is full of panels.
    if (has_next) ahead_ = Ahead<S>(block_.pages[tile / kKeyTile + 1] + block_.offset, 2 * kKeyTile * block_.row_bytes, lines_per_step());
    const auto read = [&](auto rows) {
      using Rows = decltype(rows);
      const bool is_whole = keys.full() && shape_.head_dim % (P::kInputsPerStep * kLanes) == 0;
      is_whole ? read_keys<Rows, true>(keys_at, keys) : read_keys<Rows, false>(keys_at, keys);
      is_whole ? read_values<Rows, true>(values_at, keys) : read_values<Rows, false>(values_at, keys);
    };
    switch (block_.dtype) {
      case DType::kF32:
        return read(KvRowsF32<S>{});
      case DType::kQ8_0:
        return read(KvRowsQ8_0<S>{});
      default:
        return read(typename P::RowsF16{});
    }
  }

  // So that one group of queries asks for a tile: panels and products take 2 D / kInputsPerStep steps each.
  int64_t lines_per_step() const { return max(1, block_.row_bytes * P::kInputsPerStep / (2 * shape_.head_dim)); }

  // Values d .. d + kLanes - 1 of row s of a tile. kIsWhole: no part of any is missing.
  template <class Rows, bool kIsWhole>
  static typename Rows::Value load_row(const uint8_t* first, int64_t row_bytes, int64_t s, int64_t d, int64_t D, Range keys) {
    if constexpr (kIsWhole) return Rows::load(first + s * row_bytes, d);
    return s >= keys.begin && s < keys.end ? load_kv<S, Rows>(first + s * row_bytes, d, D) : typename Rows::Value{};
  }

  template <class Rows, bool kIsWhole>
  void read_keys(const uint8_t* first, Range keys) {
    constexpr int64_t kInputs = P::kInputsPerStep;
    const int64_t row_bytes = block_.row_bytes, width = width_, D = shape_.head_dim;
    float* const panel = keys_;
    for (int64_t s = 0; s < kKeyTile; s += kLanes) {
      for (int64_t d = 0; d < width; d += kInputs * kLanes) {
        F words[kLanes];
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; ++i) {
          if (i % 4 == 0) ahead_.step();
          typename Rows::Value inputs[kInputs];
          for (int64_t n = 0; n < kInputs; ++n) inputs[n] = load_row<Rows, kIsWhole>(first, row_bytes, s + i, d + n * kLanes, D, keys);
          words[i] = P::pack(inputs);
        }
        S::transpose_square(words);
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; ++i) S::store(panel + (d / kInputs + i) * kKeyTile + s, words[i]);
      }
    }
  }

  template <class Rows, bool kIsWhole>
  void read_values(const uint8_t* first, Range keys) {
    constexpr int64_t kInputs = P::kInputsPerStep;
    const int64_t row_bytes = block_.row_bytes, width = width_, D = shape_.head_dim;
    float* const panel = values_;
    for (int64_t step = 0; step < kSteps; ++step) {
      const int64_t s = step * kInputs;
      for (int64_t d = 0; d < width; d += kLanes) {
        if (d / kLanes % 4 == 0) ahead_.step();
        typename Rows::Value inputs[kInputs];
        for (int64_t n = 0; n < kInputs; ++n) inputs[n] = load_row<Rows, kIsWhole>(first, row_bytes, s + n, d, D, keys);
        S::store(panel + step * width + d, P::combine(inputs));
      }
    }
  }

  // Queries first .. first + count - 1, at most kGroup, each of which sees a key of the tile.
  void add_group(int64_t first, int64_t count, int64_t tile) {
    for (int64_t i = 0; i < count; i += kRows) score_rows<kRows>(first + i, count - i, scores_ + i * kKeyTile);
    update_softmax(first, count, tile);
    int64_t i = 0;
    while (i < count) {  // queries that see the same keys go together
      const Range range = seen((first + i) / block_.num_heads, tile);
      int64_t n = 1;
      while (n < kRows && i + n < count && seen((first + i + n) / block_.num_heads, tile) == range) ++n;
      add_values<kRows>(first + i, i, n, range);
      i += n;
    }
  }

  // Scores [min(R, count), kKeyTile] of the queries from `first` on.
  template <int R>
  void score_rows(int64_t first, int64_t count, float* out) {
    if constexpr (R > 1) {
      if (count < R) return score_rows<R - 1>(first, count, out);
    }
    constexpr int N = 4;
    for (int64_t s = 0; s < kKeyTile; s += N * kLanes) {
      F c[R][N];
      for (int r = 0; r < R; ++r) {
        for (int n = 0; n < N; ++n) c[r][n] = S::zero();
      }
      multiply_tile<S, P, R, N, false>(queries_ + first * width_, width_, keys_ + s, kKeyTile, 0, query_steps_, nullptr, ahead_, c);
      for (int r = 0; r < R; ++r) {
        for (int n = 0; n < N; ++n) S::store(out + r * kKeyTile + s + n * kLanes, c[r][n]);
      }
    }
  }

  // From scores to weights; the queries' new m and l, and c.
  void update_softmax(int64_t first, int64_t count, int64_t tile) {
    for (int64_t i = 0; i < count; ++i) {
      float* scores = scores_ + i * kKeyTile;
      const int64_t row = (first + i) / block_.num_heads;
      if (shape_.soft_cap > 0) cap_scores(scores);
      if (block_.alibi_slopes) add_alibi(scores, block_.alibi_slopes[(first + i) % block_.num_heads] * kLog2E, tile - position(row));
      if (const Range range = seen(row, tile); !range.full()) {
        for (int64_t s = 0; s < range.begin; ++s) scores[s] = -__builtin_inff();
        for (int64_t s = range.end; s < kKeyTile; ++s) scores[s] = -__builtin_inff();
      }
      F lanes = S::set1(sums_.largest[first + i]);
      for (int64_t s = 0; s < kKeyTile; s += kLanes) lanes = S::max(lanes, S::load(scores + s));
      const float largest = S::largest(lanes);
      shifts_[i] = sums_.largest[first + i] - largest;
      sums_.largest[first + i] = largest;
    }
    for (int64_t i = 0; i < count; i += kLanes) S::store(corrections_ + i, Math<S>::exp2_below(S::load(shifts_ + i)));
    for (int64_t i = 0; i < count; ++i) {
      sums_.totals[first + i] = sums_.totals[first + i] * corrections_[i] + weigh(i, sums_.largest[first + i]);
    }
  }

  // w of query i of the group, and their sum.
  float weigh(int64_t i, float largest) {
    const float* scores = scores_ + i * kKeyTile;
    float* weights = weights_ + i * kSteps;
    const F shift = S::set1(largest), factor = S::set1(unit());
    F total = S::zero();
    for (int64_t s = 0; s < kKeyTile; s += P::kInputsPerStep * kLanes) {
      F w[P::kInputsPerStep];
      for (int64_t n = 0; n < P::kInputsPerStep; ++n) {
        const F weight = Math<S>::exp2_below(S::sub(S::load(scores + s + n * kLanes), shift));
        total = S::add(total, weight);
        w[n] = S::mul(weight, factor);
      }
      S::store(weights + s / P::kInputsPerStep, P::pack(w));
    }
    return S::sum(total);
  }

  void cap_scores(float* scores) const {
    const F cap = S::set1(shape_.soft_cap), scale = S::set1(shape_.soft_cap * kLog2E);
    for (int64_t s = 0; s < kKeyTile; s += kLanes) S::store(scores + s, S::mul(scale, Math<S>::tanh(S::div(S::load(scores + s), cap))));
  }
  static void add_alibi(float* scores, float slope, int64_t distance) {
    for (int64_t s = 0; s < kKeyTile; ++s) scores[s] += slope * static_cast<float>(distance + s);
  }

  // Adds the values of `range` to the sums of queries first .. first + count - 1, of which the first is number i of the group.
  template <int R>
  void add_values(int64_t first, int64_t i, int64_t count, Range range) {
    if constexpr (R > 1) {
      if (count < R) return add_values<R - 1>(first, i, count, range);
    }
    if (P::kInputsPerStep > 1 && !range.full()) return add_values_of<R, true>(first, i, range);
    add_values_of<R, false>(first, i, range);
  }
  template <int R, bool kIsMasked>
  void add_values_of(int64_t first, int64_t i, Range range) {
    const int64_t begin = range.begin / P::kInputsPerStep, end = (range.end + P::kInputsPerStep - 1) / P::kInputsPerStep;
    int32_t masks[kSteps] = {};
    if constexpr (kIsMasked) {
      for (int64_t step = begin; step < end; ++step) masks[step] = -1;
      if (range.begin % 2 != 0) masks[begin] &= static_cast<int32_t>(0xffff0000);
      if (range.end % 2 != 0) masks[end - 1] &= 0xffff;
    }
    int64_t d = 0;
    for (; d + 4 * kLanes <= width_; d += 4 * kLanes) add_columns<R, 4, kIsMasked>(first, i, d, begin, end, masks);
    for (; d + 2 * kLanes <= width_; d += 2 * kLanes) add_columns<R, 2, kIsMasked>(first, i, d, begin, end, masks);
    for (; d < width_; d += kLanes) add_columns<R, 1, kIsMasked>(first, i, d, begin, end, masks);
  }
  template <int R, int N, bool kIsMasked>
  void add_columns(int64_t first, int64_t i, int64_t d, int64_t begin, int64_t end, const int32_t* masks) {
    float* sums = sums_.values + first * width_ + d;
    F c[R][N];
    for (int r = 0; r < R; ++r) {
      const F correction = S::set1(corrections_[i + r]);
      for (int n = 0; n < N; ++n) c[r][n] = S::mul(correction, S::load(sums + r * width_ + n * kLanes));
    }
    multiply_tile<S, P, R, N, kIsMasked>(weights_ + i * kSteps, kSteps, values_ + d, width_, begin, end, masks, ahead_, c);
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < N; ++n) S::store(sums + r * width_ + n * kLanes, c[r][n]);
    }
  }

  const AttentionShape& shape_;
  const AttentionBlock& block_;
  const AttentionSums& sums_;
  Ahead<S> ahead_;  // of the next tile
  int64_t width_;
  int64_t num_queries_;
  int64_t query_steps_;  // of a score's sum
  float* keys_;          // [query_steps, kKeyTile] words
  float* values_;        // [kSteps, width] words
  float* scores_;        // [kGroup, kKeyTile]
  float* weights_;       // [kGroup, kSteps] words
  float* corrections_;   // [kGroupFloats] c
  float* shifts_;        // [kGroupFloats] m - m'
  float* queries_;       // [num_queries, width] words
};

// What joins the spans of a query; the same for all products.
template <class S>
struct AttentionSpans {
  using F = typename S::F;

  static void fold(const AttentionSums& part, int64_t num_queries, const AttentionSums& whole) {
    const int64_t width = whole.width;
    for (int64_t i = 0; i < num_queries; ++i) {
      if (part.totals[i] == 0) continue;  // sees nothing of this span
      const float old = whole.largest[i];
      const float largest = old > part.largest[i] ? old : part.largest[i];
      const F whole_factor = Math<S>::exp2_below(S::set1(old - largest)),
              part_factor = Math<S>::exp2_below(S::set1(part.largest[i] - largest));
      for (int64_t d = i * width; d < (i + 1) * width; d += S::kLanes) {
        S::store(whole.values + d, S::fma(whole_factor, S::load(whole.values + d), S::mul(part_factor, S::load(part.values + d))));
      }
      whole.totals[i] = whole.totals[i] * S::lane0(whole_factor) + part.totals[i] * S::lane0(part_factor);
      whole.largest[i] = largest;
    }
  }

  static void write(const AttentionShape& shape, const AttentionBlock& block, const AttentionSums& whole) {
    const int64_t width = whole.width;
    for (int64_t i = 0; i < block.num_rows * block.num_heads; ++i) {
      float* out = block.out + i / block.num_heads * block.ldo + i % block.num_heads * shape.head_dim;
      if (block.log_sums != nullptr) {
        block.log_sums[i / block.num_heads * block.ld_log_sums + i % block.num_heads] =
            whole.largest[i] + static_cast<float>(__builtin_log2(static_cast<double>(whole.totals[i])));
      }
      const F inverse = S::set1(1.0f / whole.totals[i]);
      for (int64_t d = 0; d < shape.head_dim; d += S::kLanes) {
        const F result = S::mul(S::load(whole.values + i * width + d), inverse);
        const int64_t left = shape.head_dim - d;
        left >= S::kLanes ? S::store(out + d, result) : S::store_partial(out + d, result, static_cast<int>(left));
      }
    }
  }
};

}  // namespace atelier::kernels
