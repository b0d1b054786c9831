// Attention of a block of query rows with the heads of one kv head, by the online softmax (Dao et al. 2022, arXiv:2205.14135).
//
// Key tiles lie at multiples of kKeyTile and are walked in ascending order. A tile is widened to float32 once for all queries of the
// block, and then each query, for itself, takes the keys of the tile that it sees:
//
//   m' = max(m, max_s score_s)     c = exp(m - m')     w_s = exp(score_s - m')
//   l  = l c + sum_s w_s           o = o c + sum_s w_s v_s     (s ascending)
//
// A tile that a query does not see leaves it untouched, whatever the block's other queries see: so the result does not depend on how
// rows are put into blocks.
#pragma once

#include "atelier/kernels/simd/gemm_f32.h"
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/math.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
class AttentionKernel {
 public:
  using F = typename S::F;
  static constexpr int64_t kLanes = S::kLanes;

  static void attention(const AttentionShape& shape, const AttentionBlock& block, float* scratch) {
    AttentionKernel kernel(shape, block, scratch);
    kernel.read_queries();
    const int64_t end = block.first_position + block.num_rows;
    for (int64_t tile = kernel.first_key(0) / kKeyTile * kKeyTile; tile < end; tile += kKeyTile) {
      kernel.score_tile(tile);
      kernel.add_values(tile);
    }
    kernel.write_results();
  }

 private:
  struct Range {  // of keys, relative to a tile
    int64_t begin, end;
    bool operator==(const Range&) const = default;
    bool empty() const { return begin >= end; }
  };

  AttentionKernel(const AttentionShape& shape, const AttentionBlock& block, float* scratch)
      : shape_(shape),
        block_(block),
        width_((shape.head_dim + kLanes - 1) / kLanes * kLanes),
        num_queries_(block.num_rows * block.num_heads) {
    tile_ = scratch;
    queries_ = tile_ + kKeyTile * width_;
    sums_ = queries_ + num_queries_ * width_;
    weights_ = sums_ + num_queries_ * width_;
    largest_ = weights_ + num_queries_ * kKeyTile;
    totals_ = largest_ + num_queries_;
    corrections_ = totals_ + num_queries_;
  }

  // Query i is head i % num_heads of row i / num_heads.
  int64_t position(int64_t i) const { return block_.first_position + i / block_.num_heads; }
  int64_t first_key(int64_t i) const {
    const int64_t first = position(i) + 1 - shape_.window;
    return shape_.window > 0 && first > 0 ? first : 0;
  }
  Range seen(int64_t i, int64_t tile) const {
    const int64_t begin = first_key(i) - tile, end = position(i) + 1 - tile;
    return {begin > 0 ? begin : 0, end < kKeyTile ? end : kKeyTile};
  }
  // Keys that any query of the block sees.
  Range seen_by_block(int64_t tile) const { return {seen(0, tile).begin, seen(num_queries_ - 1, tile).end}; }

  void read_queries() {
    const F scale = S::set1(shape_.scale);
    for (int64_t i = 0; i < num_queries_; ++i) {
      const float* q = block_.q + i / block_.num_heads * block_.ldq + i % block_.num_heads * shape_.head_dim;
      for (int64_t d = 0; d < width_; d += kLanes) {
        const int64_t left = shape_.head_dim - d;
        S::store(queries_ + i * width_ + d,
                 S::mul(scale, left >= kLanes ? S::load(q + d) : S::load_partial(q + d, static_cast<int>(left))));
        S::store(sums_ + i * width_ + d, S::zero());
      }
      for (int64_t s = 0; s < kKeyTile; ++s) weights_[i * kKeyTile + s] = 0;
      largest_[i] = -__builtin_inff();
      totals_[i] = 0;
    }
  }

  // Rows `keys` of the tile as float32 [kKeyTile, width], zeros beyond head_dim.
  void widen_tile(const uint8_t* first, Range keys) {
    for (int64_t s = keys.begin; s < keys.end; ++s) {
      const uint8_t* src = first + s * block_.row_bytes;
      float* dst = tile_ + s * width_;
      if (width_ != shape_.head_dim) S::store(dst + width_ - kLanes, S::zero());
      switch (block_.dtype) {
        case DType::kF32:
          LinearKernels<S>::copy(reinterpret_cast<const float*>(src), dst, shape_.head_dim);
          break;
        case DType::kQ8_0:
          widen_q8_0(src, dst);
          break;
        default:
          LinearKernels<S>::widen(block_.dtype, reinterpret_cast<const uint16_t*>(src), dst, shape_.head_dim);
          break;
      }
    }
  }
  void widen_q8_0(const uint8_t* src, float* dst) const {
    for (int64_t d = 0; d < shape_.head_dim; d += 32, src += 34) {
      const uint8_t* rows[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) rows[i] = src;
      const F scale = S::half_to_float(S::gather_u16(rows, 0));
      for (int i = 0; i < 32; i += kLanes) S::store(dst + d + i, S::mul(S::load_i8(src + 2 + i), scale));
    }
  }

  // The weights w_s of every query, and its new m, l and c.
  void score_tile(int64_t tile) {
    const Range keys = seen_by_block(tile);
    widen_tile(block_.pages[tile / kKeyTile] + block_.k_offset, keys);
    GemmF32<S>::multiply(queries_, width_, num_queries_, tile_ + keys.begin * width_, width_, width_, keys.end - keys.begin,
                         weights_ + keys.begin, kKeyTile);
    for (int64_t i = 0; i < num_queries_; ++i) {
      if (const Range range = seen(i, tile); !range.empty()) update_softmax(i, tile, range);
    }
  }

  void update_softmax(int64_t i, int64_t tile, Range range) {
    float* scores = weights_ + i * kKeyTile;
    if (shape_.soft_cap > 0) cap_scores(scores);
    if (block_.alibi_slopes) add_alibi(scores, block_.alibi_slopes[i % block_.num_heads], tile - position(i));
    for (int64_t s = 0; s < range.begin; ++s) scores[s] = -__builtin_inff();
    for (int64_t s = range.end; s < kKeyTile; ++s) scores[s] = -__builtin_inff();
    F lanes = S::set1(largest_[i]);
    for (int64_t s = 0; s < kKeyTile; s += kLanes) lanes = S::max(lanes, S::load(scores + s));
    const float largest = S::largest(lanes);
    const F shift = S::set1(largest);
    F total = S::zero();
    for (int64_t s = 0; s < kKeyTile; s += kLanes) {
      const F weight = Math<S>::exp(S::sub(S::load(scores + s), shift));
      S::store(scores + s, weight);
      total = S::add(total, weight);
    }
    corrections_[i] = S::lane0(Math<S>::exp(S::set1(largest_[i] - largest)));
    totals_[i] = totals_[i] * corrections_[i] + S::sum(total);
    largest_[i] = largest;
  }

  void cap_scores(float* scores) const {
    const F cap = S::set1(shape_.soft_cap);
    for (int64_t s = 0; s < kKeyTile; s += kLanes) S::store(scores + s, S::mul(cap, Math<S>::tanh(S::div(S::load(scores + s), cap))));
  }
  static void add_alibi(float* scores, float slope, int64_t distance) {
    for (int64_t s = 0; s < kKeyTile; ++s) scores[s] += slope * static_cast<float>(distance + s);
  }

  void add_values(int64_t tile) {
    widen_tile(block_.pages[tile / kKeyTile] + block_.v_offset, seen_by_block(tile));
    int64_t i = 0;
    while (i < num_queries_) {
      const Range range = seen(i, tile);
      int64_t end = i + 1;  // queries i .. end - 1 see the same keys and go together
      while (end < num_queries_ && end - i < 3 && seen(end, tile) == range) ++end;
      if (!range.empty()) {
        switch (end - i) {
          case 1:
            add_values_of<1>(i, range);
            break;
          case 2:
            add_values_of<2>(i, range);
            break;
          default:
            add_values_of<3>(i, range);
            break;
        }
      }
      i = end;
    }
  }
  template <int R>
  void add_values_of(int64_t i, Range range) {
    int64_t d = 0;
    for (; d + 4 * kLanes <= width_; d += 4 * kLanes) add_value_columns<R, 4>(i, d, range);
    for (; d < width_; d += kLanes) add_value_columns<R, 1>(i, d, range);
  }
  // Columns d .. d + N * kLanes - 1 of the sums of R queries.
  template <int R, int N>
  void add_value_columns(int64_t i, int64_t d, Range range) {
    F sums[R][N];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const F correction = S::set1(corrections_[i + r]);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) sums[r][n] = S::mul(correction, S::load(sums_ + (i + r) * width_ + d + n * kLanes));
    }
    for (int64_t s = range.begin; s < range.end; ++s) {
      F values[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) values[n] = S::load(tile_ + s * width_ + d + n * kLanes);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const F weight = S::set1(weights_[(i + r) * kKeyTile + s]);
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) sums[r][n] = S::fma(weight, values[n], sums[r][n]);
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < N; ++n) S::store(sums_ + (i + r) * width_ + d + n * kLanes, sums[r][n]);
    }
  }

  void write_results() const {
    for (int64_t i = 0; i < num_queries_; ++i) {
      float* out = block_.out + i / block_.num_heads * block_.ldo + i % block_.num_heads * shape_.head_dim;
      const F inverse = S::set1(1.0f / totals_[i]);
      for (int64_t d = 0; d < width_; d += kLanes) {
        const F result = S::mul(S::load(sums_ + i * width_ + d), inverse);
        const int64_t left = shape_.head_dim - d;
        left >= kLanes ? S::store(out + d, result) : S::store_partial(out + d, result, static_cast<int>(left));
      }
    }
  }

  const AttentionShape& shape_;
  const AttentionBlock& block_;
  int64_t width_;  // head_dim rounded up to whole vectors
  int64_t num_queries_;
  float* tile_;         // [kKeyTile, width] keys, then values
  float* queries_;      // [num_queries, width] scaled
  float* sums_;         // [num_queries, width] o
  float* weights_;      // [num_queries, kKeyTile] scores, then w
  float* largest_;      // [num_queries] m
  float* totals_;       // [num_queries] l
  float* corrections_;  // [num_queries] c, of the last tile that the query saw
};

}  // namespace atelier::kernels
