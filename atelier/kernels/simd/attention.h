// Attention of a block of query rows with the heads of one kv head over one span of keys, by the online softmax
// (Dao et al. 2022, arXiv:2205.14135).
//
// Key tiles are the pages of the cache and are walked in ascending order. Few queries read a tile where it lies; for many it is put into
// panels once. Then each query, for itself, takes the keys of the tile that it sees:
//
//   m' = max(m, max_s score_s)     c = 2^(m - m')     w_s = 2^(score_s - m')
//   l  = l c + sum_s w_s           o = o c + sum_s w_s v_s     (s ascending)
//
// Scores are in units of log 2. A tile that a query does not see leaves it untouched, and a key that it does not see adds nothing to its
// sums, whatever that key is: so the result does not depend on how rows are put into blocks.
//
// Products with scales (int16, of bytes in blocks of 32 columns with a scale) are the same with whole numbers: a query is rounded to 15
// bits under one scale, and so are the weights of a tile times the scales of the values, for each block of columns.
#pragma once

#include <type_traits>

#include "atelier/kernels/simd/attention_products.h"
#include "atelier/kernels/simd/kv_tiles.h"
#include "atelier/kernels/simd/math.h"
#include "atelier/kernels/simd/tiles.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S, class P, class Tile>
class AttentionKernel {
 public:
  using F = typename S::F;
  using I = typename S::I;
  static constexpr int64_t kLanes = S::kLanes;

  static void attention(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
    [[maybe_unused]] const TilesIfUsed tiles(tile_shapes(rows_of_tile(block)));
    AttentionKernel kernel(shape, block, sums, scratch);
    kernel.read_queries();
    const int64_t end = min(kernel.end_key(block.num_rows - 1), (span + 1) * kKeySpan);
    for (int64_t tile = max(kernel.first_key(0), span * kKeySpan) / kKeyTile * kKeyTile; tile < end; tile += kKeyTile) {
      kernel.add_tile(tile, tile + kKeyTile < end);
    }
  }

 private:
  static constexpr int kRows = S::kTileRows;  // queries of a tile of sums
  // Products of tiles multiply the keys that a query does not see by weights of zero: they have to be numbers.
  static constexpr bool kUsesTiles = S::kHasTiles && P::kInputsPerStep == 2 && Tile::kIsFinite;
  struct NoTiles {
    explicit NoTiles(const TileShapes&) {}
  };
  // The time of a product goes by the rows of its left operand.
  static int64_t rows_of_tile(const AttentionBlock& block) { return min(kTileRows, block.num_rows * block.num_heads); }
  static constexpr TileShapes tile_shapes(int64_t rows) {
    TileShapes shapes = TileShapes::all_whole();
    for (const int tile : {0, 1, 4}) shapes.set(tile, rows, kTileBytes);
    return shapes;
  }
  using TilesIfUsed = std::conditional_t<kUsesTiles, Tiles, NoTiles>;
  static constexpr int64_t kGroup = kUsesTiles ? 2 * kTileRows : 4 * kRows;  // queries whose scores stay in the L1 cache
  static_assert(kGroup <= kAttentionGroup);
  static constexpr int64_t kGroupFloats = (kGroup + 15) / 16 * 16;
  static constexpr int64_t kSteps = kKeyTile / P::kInputsPerStep;  // of a sum over the keys of a tile
  static constexpr int64_t kWords = 2 / P::kInputsPerStep;         // of a pair of inputs
  static constexpr int64_t kBlock = 32;                            // columns that share a scale
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
        tile_rows_(rows_of_tile(block)),
        num_blocks_(P::kHasScales ? width_ / kBlock : 1) {
    key_panel_ = scratch;
    value_panel_ = key_panel_ + kKeyTile * width_;
    scores_ = value_panel_ + kKeyTile * width_;
    weights_ = scores_ + kGroup * kKeyTile;
    queries_ = weights_ + kGroup * max(kKeyTile, width_);
    corrections_ = queries_ + num_queries_ * width_;
    shifts_ = corrections_ + kGroupFloats;
    weight_scales_ = shifts_ + kGroupFloats;
    value_scales_ = weight_scales_ + kGroup * num_blocks_;
    query_scales_ = value_scales_ + kKeyTile * num_blocks_;
  }

  // Query i is head i % num_heads of row i / num_heads.
  int64_t position(int64_t row) const { return block_.first_position + row; }
  int64_t first_key(int64_t row) const { return shape_.window > 0 ? max(0, position(row) + 1 - shape_.window) : 0; }
  int64_t end_key(int64_t row) const { return max(position(row) + 1, block_.prefix); }
  Range seen(int64_t row, int64_t tile) const { return {max(0, first_key(row) - tile), min(kKeyTile, end_key(row) - tile)}; }

  // What the words of a tile are multiplied by: queries and weights bring it in.
  float unit() const { return block_.dtype == DType::kF16 ? P::kUnitF16 : 1.0f; }

  void read_queries() {
    const float scale = (shape_.soft_cap > 0 ? shape_.scale : shape_.scale * kLog2E) * unit();
    for (int64_t i = 0; i < num_queries_; ++i) {
      const float* q = block_.q + i / block_.num_heads * block_.ldq + i % block_.num_heads * shape_.head_dim;
      F factor = S::set1(scale);
      if constexpr (P::kHasScales) {
        I largest_lanes = S::zero_int();
        for (int64_t d = 0; d < width_; d += kLanes) largest_lanes = S::max_int(largest_lanes, magnitude(load_query(q, d)));
        const float largest = largest_of(largest_lanes);
        query_scales_[i] = largest * (1 / P::kLargest) * scale;
        factor = S::set1(whole_factor(largest));
      }
      for (int64_t d = 0; d < width_; d += P::kInputsPerStep * kLanes) {
        F inputs[P::kInputsPerStep];
        for (int64_t n = 0; n < P::kInputsPerStep; ++n) inputs[n] = S::mul(factor, load_query(q, d + n * kLanes));
        S::store(queries_ + i * width_ + d / P::kInputsPerStep, P::pack(inputs));
      }
      for (int64_t d = 0; d < width_; d += kLanes) S::store(sums_.values + i * width_ + d, S::zero());
      sums_.largest[i] = -__builtin_inff();
      sums_.totals[i] = 0;
    }
  }
  // Columns d .. d + kLanes - 1 of a query, zeros beyond D.
  F load_query(const float* q, int64_t d) const { return load_left<S>(q + d, shape_.head_dim - d); }

  // Rows that see a key of the tile are consecutive.
  void add_tile(int64_t tile, bool has_next) {
    int64_t begin = 0, end = block_.num_rows;
    while (begin < end && seen(begin, tile).empty()) ++begin;
    while (begin < end && seen(end - 1, tile).empty()) --end;
    if (begin == end) return;
    const uint8_t* const* page = block_.pages + tile / kKeyTile;
    const uint8_t* keys = *page + block_.offset;
    tile_ = Tile(keys, keys + block_.tile_bytes, width_);
    const bool is_whole = seen(begin, tile).full() && seen(end - 1, tile).full();
    const bool is_direct = !Tile::kHasWords && !kUsesTiles && is_whole && num_queries_ <= kRows;
    // The tiles of a head are too short for the processor to foresee the next.
    if (has_next) {
      const int64_t bytes = 2 * block_.tile_bytes, steps = (width_ + kKeyTile) / (is_direct ? 2 : 1);  // or more
      ahead_ = Ahead<S>(page[1] + block_.offset, bytes, (bytes + steps - 1) / steps);
    }
    if constexpr (Tile::kHasWords) {
      keys_ = tile_.keys();
      values_ = tile_.values();
    } else if (!is_direct) {
      fill_panels();
    }
    if constexpr (P::kHasScales) {
      for (int64_t s = 0; s < kKeyTile * num_blocks_; s += kLanes) {
        S::store(value_scales_ + s, tile_.value_scales(s / kKeyTile, s % kKeyTile));
      }
    }
    const int64_t first = begin * block_.num_heads, last = end * block_.num_heads;
    if (is_direct) return add_group<true>(first, last - first, tile);
    for (int64_t i = first; i < last; i += kGroup) add_group<false>(i, min(kGroup, last - i), tile);
  }

  // Panels of keys [width / kInputsPerStep, kKeyTile] and values [kSteps, width], in words.
  void fill_panels() {
    for (int64_t pair = 0; pair < width_ / 2; ++pair) {
      ahead_.step();
      for (int64_t s = 0; s < kKeyTile; s += kLanes) {
        F words[kWords];
        tile_.load_keys(pair, s, words);
        for (int64_t i = 0; i < kWords; ++i) S::store(key_panel_ + (pair * kWords + i) * kKeyTile + s, words[i]);
      }
    }
    if constexpr (kUsesTiles) {  // whole steps: half of the last may lie behind the columns
      for (int64_t i = width_ / 2 * kKeyTile; i < (width_ + kTileWords) / 32 * kTileWords * kKeyTile; i += kLanes)
        S::store(key_panel_ + i, S::zero());
    }
    for (int64_t pair = 0; pair < kKeyTile / 2; ++pair) {
      ahead_.step();
      for (int64_t d = 0; d < width_; d += kLanes) {
        F words[kWords];
        tile_.load_values(pair, d, words);
        for (int64_t i = 0; i < kWords; ++i) S::store(value_panel_ + (pair * kWords + i) * width_ + d, words[i]);
      }
    }
    keys_ = key_panel_;
    values_ = value_panel_;
  }

  // Queries first .. first + count - 1, at most kGroup, each of which sees a key of the tile.
  template <bool kIsDirect>
  void add_group(int64_t first, int64_t count, int64_t tile) {
    if constexpr (kUsesTiles) return add_group_of_tiles(first, count, tile);
    for (int64_t i = 0; i < count; i += kRows) score_rows<kRows, kIsDirect>(first + i, count - i, scores_ + i * kKeyTile);
    update_softmax(first, count, tile);
    int64_t i = 0;
    while (i < count) {  // queries that see the same keys go together
      const Range range = seen((first + i) / block_.num_heads, tile);
      int64_t n = 1;
      while (n < kRows && i + n < count && seen((first + i + n) / block_.num_heads, tile) == range) ++n;
      add_values<kRows, kIsDirect>(first + i, i, n, range);
      i += n;
    }
  }

  // The same with products of tiles: rows behind the last query of a tile are whatever lies there, and nobody reads what they become.
  void add_group_of_tiles(int64_t first, int64_t count, int64_t tile) {
    for (int64_t i = 0; i < count; i += kTileRows) {
      for (int64_t s = 0; s < kKeyTile; s += 2 * kTileWords) {
        Tiles::clear<0>();
        Tiles::clear<1>();
        const float* queries = queries_ + (first + i) * width_;
        for (int64_t w = 0; w < width_ / 2; w += kTileWords) add_step<2>(queries + w, width_, keys_ + w * kKeyTile + s, kKeyTile);
        float* scores = scores_ + i * kKeyTile + s;
        Tiles::store<0>(scores, kKeyTile * 4);
        Tiles::store<1>(scores + kTileWords, kKeyTile * 4);
      }
    }
    update_softmax(first, count, tile);
    for (int64_t i = 0; i < count; i += kTileRows) {
      const int64_t rows = min(kTileRows, count - i);
      float* sums = sums_.values + (first + i) * width_;
      for (int64_t r = 0; r < rows; ++r) {
        const F correction = S::set1(corrections_[i + r]);
        for (int64_t d = r * width_; d < (r + 1) * width_; d += kLanes) S::store(sums + d, S::mul(correction, S::load(sums + d)));
      }
      int64_t d = 0;
      for (; d + 2 * kTileWords <= width_; d += 2 * kTileWords) add_columns_of_tiles<2>(i, rows, d, sums + d);
      if (d < width_) add_columns_of_tiles<1>(i, rows, d, sums + d);
    }
  }
  // Adds the values of a tile in N * 16 columns from d on to `sums` of at most sixteen queries, of which the first is number i of the
  // group.
  template <int N>
  void add_columns_of_tiles(int64_t i, int64_t rows, int64_t d, float* sums) {
    if (rows == tile_rows_) return add_tile_values<N>(i, d, sums, width_);
    constexpr int64_t kColumns = N * kTileWords;
    alignas(kTileBytes) float some[kTileRows * kColumns] = {};
    copy_columns<S>(sums, width_, some, kColumns, rows, kColumns);
    add_tile_values<N>(i, d, some, kColumns);
    copy_columns<S>(some, kColumns, sums, width_, rows, kColumns);
  }
  template <int N>
  void add_tile_values(int64_t i, int64_t d, float* sums, int64_t stride) {
    Tiles::load<0>(sums, stride * 4);
    if constexpr (N > 1) Tiles::load<1>(sums + kTileWords, stride * 4);
    for (int64_t w = 0; w < kSteps; w += kTileWords) add_step<N>(weights_ + i * kSteps + w, kSteps, values_ + w * width_ + d, width_);
    Tiles::store<0>(sums, stride * 4);
    if constexpr (N > 1) Tiles::store<1>(sums + kTileWords, stride * 4);
  }
  template <int N>
  static void add_step(const float* a, int64_t lda, const float* b, int64_t ldb) {
    Tiles::load<4>(a, lda * 4);
    Tiles::load<6>(b, ldb * 4);
    Tiles::add_bf16<0, 4, 6>();
    if constexpr (N > 1) {
      Tiles::load<7>(b + kTileWords, ldb * 4);
      Tiles::add_bf16<1, 4, 7>();
    }
  }

  // Scores [min(R, count), kKeyTile] of the queries from `first` on.
  template <int R, bool kIsDirect>
  void score_rows(int64_t first, int64_t count, float* out) {
    if constexpr (R > 1) {
      if (count < R) return score_rows<R - 1, kIsDirect>(first, count, out);
    }
    constexpr int N = 4;
    for (int64_t s = 0; s < kKeyTile; s += N * kLanes) {
      F c[R][N];
      clear(c);
      if constexpr (P::kHasScales) {
        for (int64_t block = 0; block < num_blocks_; ++block) {
          F sums[R][N];
          clear(sums);
          multiply_keys<R, N, kIsDirect>(first, s, block * (kBlock / 2), (block + 1) * (kBlock / 2), sums);
          for (int n = 0; n < N; ++n) {
            const F scale = tile_.key_scales(block, s + n * kLanes);
            for (int r = 0; r < R; ++r) c[r][n] = S::fma(scale, P::value(sums[r][n]), c[r][n]);
          }
        }
        for (int r = 0; r < R; ++r) {
          const F scale = S::set1(query_scales_[first + r]);
          for (int n = 0; n < N; ++n) c[r][n] = S::mul(scale, c[r][n]);
        }
      } else {
        multiply_keys<R, N, kIsDirect>(first, s, 0, width_ / 2, c);
      }
      for (int r = 0; r < R; ++r) {
        for (int n = 0; n < N; ++n) S::store(out + r * kKeyTile + s + n * kLanes, c[r][n]);
      }
    }
  }
  template <int R, int N>
  static void clear(F (&c)[R][N]) {
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < N; ++n) c[r][n] = S::zero();
    }
  }
  // Adds pairs [begin, end) of columns of the keys from s on.
  template <int R, int N, bool kIsDirect>
  void multiply_keys(int64_t first, int64_t s, int64_t begin, int64_t end, F (&c)[R][N]) {
    const float* queries = queries_ + first * width_;
    if constexpr (kIsDirect) {
      const auto load = [&](int64_t pair, int n, F* words) { tile_.load_keys(pair, s + n * kLanes, words); };
      multiply_pairs<S, P, R, N>(queries, width_, begin, end, load, ahead_, c);
    } else {
      multiply_tile<S, P, R, N, false>(queries, width_, keys_ + s, kKeyTile, begin * kWords, end * kWords, nullptr, ahead_, c);
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
      const Range range = seen((first + i) / block_.num_heads, tile);
      sums_.totals[first + i] = sums_.totals[first + i] * corrections_[i] + weigh(i, range, sums_.largest[first + i]);
    }
  }

  // w of query i of the group, and their sum.
  float weigh(int64_t i, Range range, float largest) {
    float* scores = scores_ + i * kKeyTile;
    const F shift = S::set1(largest), factor = S::set1(unit());
    F total = S::zero();
    for (int64_t s = 0; s < kKeyTile; s += P::kInputsPerStep * kLanes) {
      F w[P::kInputsPerStep];
      for (int64_t n = 0; n < P::kInputsPerStep; ++n) {
        w[n] = Math<S>::exp2_below(S::sub(S::load(scores + s + n * kLanes), shift));
        total = S::add(total, w[n]);
        if constexpr (P::kHasScales) {
          S::store(scores + s + n * kLanes, w[n]);
        } else {
          w[n] = S::mul(w[n], factor);
        }
      }
      if constexpr (!P::kHasScales) S::store(weights_ + i * kSteps + s / P::kInputsPerStep, P::pack(w));
    }
    if constexpr (P::kHasScales) range.full() ? scale_weights<false>(i, range, scores) : scale_weights<true>(i, range, scores);
    return S::sum(total);
  }

  // Weights [num_blocks, kSteps] of query i: w times the scales of the values, as whole numbers under one scale for each block of columns.
  template <bool kIsMasked>
  void scale_weights(int64_t i, Range range, const float* w) {
    constexpr int kVectors = kKeyTile / kLanes;
    for (int64_t block = 0; block < num_blocks_; ++block) {
      const float* scales = value_scales_ + block * kKeyTile;
      float masked[kKeyTile];
      if constexpr (kIsMasked) {  // a value that is not seen may have any scale
        for (int64_t s = 0; s < kKeyTile; ++s) masked[s] = s >= range.begin && s < range.end ? scales[s] : 0.0f;
        scales = masked;
      }
      F products[kVectors];
      I largest_lanes = S::zero_int();
      for (int n = 0; n < kVectors; ++n) {
        products[n] = S::mul(S::load(w + n * kLanes), S::load(scales + n * kLanes));
        largest_lanes = S::max_int(largest_lanes, magnitude(products[n]));
      }
      const float largest = largest_of(largest_lanes);
      weight_scales_[i * num_blocks_ + block] = largest * (1 / P::kLargest);
      const F factor = S::set1(whole_factor(largest));
      for (int n = 0; n < kVectors; n += 2) {
        const F whole[2] = {S::mul(products[n], factor), S::mul(products[n + 1], factor)};
        S::store(weights_ + (i * num_blocks_ + block) * kSteps + n * kLanes / 2, P::pack(whole));
      }
    }
  }
  // Magnitudes are compared by their bits, among which NaN is the largest.
  static I magnitude(F a) { return S::bits(S::abs(a)); }
  static float largest_of(I magnitudes) { return __builtin_bit_cast(float, S::largest(magnitudes)); }
  // What makes whole numbers of values up to `largest`.
  static float whole_factor(float largest) { return largest > kSmallestScaled ? P::kLargest / largest : 0.0f; }

  void cap_scores(float* scores) const {
    const F cap = S::set1(shape_.soft_cap), scale = S::set1(shape_.soft_cap * kLog2E);
    for (int64_t s = 0; s < kKeyTile; s += kLanes) S::store(scores + s, S::mul(scale, Math<S>::tanh(S::div(S::load(scores + s), cap))));
  }
  static void add_alibi(float* scores, float slope, int64_t distance) {
    for (int64_t s = 0; s < kKeyTile; ++s) scores[s] += slope * static_cast<float>(distance + s);
  }

  // Adds the values of `range` to the sums of queries first .. first + count - 1, of which the first is number i of the group.
  template <int R, bool kIsDirect>
  void add_values(int64_t first, int64_t i, int64_t count, Range range) {
    if constexpr (R > 1) {
      if (count < R) return add_values<R - 1, kIsDirect>(first, i, count, range);
    }
    if constexpr (P::kHasScales) return add_scaled_values<R, kIsDirect>(first, i, range);
    if constexpr (P::kInputsPerStep > 1 && !kIsDirect) {
      if (!range.full()) return add_values_of<R, kIsDirect, true>(first, i, range);
    }
    add_values_of<R, kIsDirect, false>(first, i, range);
  }
  template <int R, bool kIsDirect, bool kIsMasked>
  void add_values_of(int64_t first, int64_t i, Range range) {
    const int64_t begin = range.begin / P::kInputsPerStep, end = (range.end + P::kInputsPerStep - 1) / P::kInputsPerStep;
    int32_t masks[kSteps] = {};
    if constexpr (kIsMasked) {
      for (int64_t step = begin; step < end; ++step) masks[step] = -1;
      if (range.begin % 2 != 0) masks[begin] &= static_cast<int32_t>(0xffff0000);
      if (range.end % 2 != 0) masks[end - 1] &= 0xffff;
    }
    int64_t d = 0;
    for (; d + 4 * kLanes <= width_; d += 4 * kLanes) add_columns<R, 4, kIsDirect, kIsMasked>(first, i, d, begin, end, masks);
    for (; d + 2 * kLanes <= width_; d += 2 * kLanes) add_columns<R, 2, kIsDirect, kIsMasked>(first, i, d, begin, end, masks);
    for (; d < width_; d += kLanes) add_columns<R, 1, kIsDirect, kIsMasked>(first, i, d, begin, end, masks);
  }
  template <int R, int N, bool kIsDirect, bool kIsMasked>
  void add_columns(int64_t first, int64_t i, int64_t d, int64_t begin, int64_t end, const int32_t* masks) {
    float* sums = sums_.values + first * width_ + d;
    F c[R][N];
    for (int r = 0; r < R; ++r) {
      const F correction = S::set1(corrections_[i + r]);
      for (int n = 0; n < N; ++n) c[r][n] = S::mul(correction, S::load(sums + r * width_ + n * kLanes));
    }
    multiply_values<R, N, kIsDirect, kIsMasked>(weights_ + i * kSteps, kSteps, d, begin, end, masks, c);
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < N; ++n) S::store(sums + r * width_ + n * kLanes, c[r][n]);
    }
  }
  // Adds steps [begin, end) of the columns from d on.
  template <int R, int N, bool kIsDirect, bool kIsMasked>
  void multiply_values(const float* weights, int64_t ldw, int64_t d, int64_t begin, int64_t end, const int32_t* masks, F (&c)[R][N]) {
    if constexpr (kIsDirect) {
      const auto load = [&](int64_t pair, int n, F* words) { tile_.load_values(pair, d + n * kLanes, words); };
      multiply_pairs<S, P, R, N>(weights, ldw, begin / kWords, end / kWords, load, ahead_, c);
    } else {
      multiply_tile<S, P, R, N, kIsMasked>(weights, ldw, values_ + d, width_, begin, end, masks, ahead_, c);
    }
  }

  // The same where values have scales: weights of keys that are not seen are zeros, and a whole number times zero is nothing.
  template <int R, bool kIsDirect>
  void add_scaled_values(int64_t first, int64_t i, Range range) {
    constexpr int N = kBlock / kLanes;
    for (int64_t block = 0; block < num_blocks_; ++block) {
      F c[R][N];
      clear(c);
      multiply_values<R, N, kIsDirect, false>(weights_ + (i * num_blocks_ + block) * kSteps, num_blocks_ * kSteps, block * kBlock,
                                              range.begin / 2, (range.end + 1) / 2, nullptr, c);
      for (int r = 0; r < R; ++r) {
        const F correction = S::set1(corrections_[i + r]), scale = S::set1(weight_scales_[(i + r) * num_blocks_ + block]);
        float* sums = sums_.values + (first + r) * width_ + block * kBlock;
        for (int n = 0; n < N; ++n) {
          S::store(sums + n * kLanes, S::fma(scale, P::value(c[r][n]), S::mul(correction, S::load(sums + n * kLanes))));
        }
      }
    }
  }

  const AttentionShape& shape_;
  const AttentionBlock& block_;
  const AttentionSums& sums_;
  Tile tile_;
  Ahead<S> ahead_;  // of the next tile
  int64_t width_;
  int64_t num_queries_;
  int64_t tile_rows_;                     // sixteen, or all queries
  int64_t num_blocks_;                    // of columns with scales of their own
  const float *keys_, *values_;           // words, in the panels or in the tile
  float *key_panel_, *value_panel_;       // [width / kInputsPerStep, kKeyTile], [kSteps, width] words
  float* scores_;                         // [kGroup, kKeyTile]
  float* weights_;                        // [kGroup, num_blocks, kSteps] words
  float* queries_;                        // [num_queries, width] words
  float *corrections_, *shifts_;          // [kGroupFloats] c, and m - m'
  float *weight_scales_, *query_scales_;  // [kGroup, num_blocks], [num_queries]
  float* value_scales_;                   // [num_blocks, kKeyTile]
};

// The kernels of one vector type, whatever the type of the cache.
template <class S>
void attention_f32(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
  using P = ProductsF32<S>;
  switch (block.dtype) {
    case DType::kF32:
      return AttentionKernel<S, P, KvTileF32<S, P>>::attention(shape, block, span, sums, scratch);
    case DType::kQ8_0:
      return AttentionKernel<S, P, KvTileQ8_0<S, P>>::attention(shape, block, span, sums, scratch);
    default:
      return AttentionKernel<S, P, KvTileF16<S, P>>::attention(shape, block, span, sums, scratch);
  }
}
template <class S>
void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
  using P = ProductsBf16<S>;
  using Whole = ProductsInt16<S>;
  switch (block.dtype) {
    case DType::kF32:
      return AttentionKernel<S, P, KvTileF32<S, P>>::attention(shape, block, span, sums, scratch);
    case DType::kQ8_0:
      return AttentionKernel<S, Whole, KvTileQ8_0<S, Whole>>::attention(shape, block, span, sums, scratch);
    default:
      return AttentionKernel<S, P, KvTileF16<S, P>>::attention(shape, block, span, sums, scratch);
  }
}

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
        store_left<S>(out + d, S::mul(S::load(whole.values + i * width + d), inverse), shape.head_dim - d);
      }
    }
  }
};

}  // namespace atelier::kernels
