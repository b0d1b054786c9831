// The backward pass of attention for one run and one kv head, by blocks of 64 keys and 64 queries (Dao 2023, arXiv:2307.08691, alg. 2).
//
// Scores are computed again from q and k, weights from them and the saved log-sums. Blocks are held turned, keys as rows and queries as
// lanes, so that a query's log-sum and delta are a lane of a vector:
//
//   p[s, t]  = 2^(score[s, t] - log_sum[t])              dv[s, :] = sum_t p[s, t] d_out[t, :]
//   dp[s, t] = v[s, :] . d_out[t, :]                     ds[s, t] = p[s, t] (dp[s, t] - delta[t]) d(score)/d(q.k)
//   dk[s, :] = sum_t ds[s, t] q[t, :]                    dq[t, :] = sum_s ds[s, t] k[s, :]
//
// Key blocks are walked in ascending order and, for each, the query blocks that see it; sums over t and s are added in that order.
#pragma once

#include "atelier/kernels/simd/attention_products.h"
#include "atelier/kernels/simd/math.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S, class P>
class AttentionBackwardKernel {
 public:
  using F = typename S::F;

  static void run(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch) {
    AttentionBackwardKernel kernel(shape, block, scratch);
    kernel.read_queries_once();
    for (int64_t key = 0; key < block.num_keys; key += kBlock) kernel.add_keys(key);
    kernel.write_queries();
  }

 private:
  static constexpr int64_t kLanes = S::kLanes, kInputs = P::kInputsPerStep;
  static constexpr int64_t kBlock = kKeyTile;
  static constexpr int64_t kSteps = kBlock / kInputs;  // words of a sum over a block's keys or queries
  static constexpr float kLog2E = 1.44269504088896341f;

  static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

  AttentionBackwardKernel(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch)
      : shape_(shape), block_(block), D_(shape.head_dim), width_((D_ + 31) / 32 * 32), words_(width_ / kInputs) {
    const int64_t part = kBlock * width_;
    key_rows_ = scratch;
    value_rows_ = key_rows_ + part;
    key_panel_ = value_rows_ + part;
    dk_ = key_panel_ + part;
    dv_ = dk_ + part;
    query_turned_ = dv_ + part;
    d_out_turned_ = query_turned_ + part;
    query_panel_ = d_out_turned_ + part;
    d_out_panel_ = query_panel_ + part;
    rows_ = d_out_panel_ + part;
    scores_ = rows_ + part;
    d_scores_ = scores_ + kBlock * kBlock;
    weights_ = d_scores_ + kBlock * kBlock;
    turned_ = weights_ + kBlock * kBlock;
    dq_ = turned_ + kBlock * kBlock;
  }

  void read_queries_once() {
    for (int64_t i = 0; i < block_.num_rows * block_.num_heads * width_; i += kLanes) S::store(dq_ + i, S::zero());
  }

  void write_queries() {
    for (int64_t i = 0; i < block_.num_rows * block_.num_heads; ++i) {
      float* dq = block_.dq + i / block_.num_heads * block_.ldq + i % block_.num_heads * D_;
      write(dq_ + i * width_, dq, shape_.scale);
    }
  }

  void add_keys(int64_t key) {
    const int64_t keys = min(kBlock, block_.num_keys - key);
    to_rows(block_.k + key * block_.ldk, block_.ldk, keys, key_rows_);
    to_rows(block_.v + key * block_.ldk, block_.ldk, keys, value_rows_);
    to_panel(block_.k + key * block_.ldk, block_.ldk, keys, key_panel_);
    for (int64_t i = 0; i < kBlock * width_; i += kLanes) {
      S::store(dk_ + i, S::zero());
      S::store(dv_ + i, S::zero());
    }
    const int64_t last = shape_.window > 0 ? min(block_.num_rows, key + keys - 1 + shape_.window) : block_.num_rows;
    for (int64_t query = key < block_.prefix ? 0 : key; query < last; query += kBlock) {
      for (int64_t head = 0; head < block_.num_heads; ++head) add_block(key, keys, query, min(kBlock, block_.num_rows - query), head);
    }
    for (int64_t s = 0; s < keys; ++s) {
      write(dk_ + s * width_, block_.dk + (key + s) * block_.ldk, shape_.scale);
      write(dv_ + s * width_, block_.dv + (key + s) * block_.ldk, 1);
    }
  }

  // Keys [key, key + keys) with queries [query, query + queries) of one head.
  void add_block(int64_t key, int64_t keys, int64_t query, int64_t queries, int64_t head) {
    const int64_t at = query * block_.ldq + head * D_;
    to_rows(block_.q + at, block_.ldq, queries, rows_);
    turn(rows_, words_, words_, query_turned_);
    to_rows(block_.d_out + at, block_.ldq, queries, rows_);
    turn(rows_, words_, words_, d_out_turned_);
    to_panel(block_.q + at, block_.ldq, queries, query_panel_);
    to_panel(block_.d_out + at, block_.ldq, queries, d_out_panel_);

    multiply(key_rows_, words_, query_turned_, kBlock, words_, kBlock, scores_, kBlock, false);
    multiply(value_rows_, words_, d_out_turned_, kBlock, words_, kBlock, d_scores_, kBlock, false);
    weigh(key, keys, query, queries, head);

    pack_rows(scores_, weights_);
    multiply(weights_, kSteps, d_out_panel_, width_, kSteps, width_, dv_, width_, true);
    pack_rows(d_scores_, weights_);
    multiply(weights_, kSteps, query_panel_, width_, kSteps, width_, dk_, width_, true);
    turn(d_scores_, kBlock, kBlock, turned_);
    pack_rows(turned_, weights_);
    const int64_t dq_row = query * block_.num_heads + head;
    multiply(weights_, kSteps, key_panel_, width_, kSteps, width_, dq_ + dq_row * width_, block_.num_heads * width_, true, queries);
  }

  // scores_ becomes p, d_scores_ (dp) becomes ds; zeros where a key is not seen.
  void weigh(int64_t key, int64_t keys, int64_t query, int64_t queries, int64_t head) {
    float log_sums[kBlock], deltas[kBlock];
    for (int64_t t = 0; t < kBlock; ++t) {
      const int64_t i = (query + (t < queries ? t : 0)) * block_.ld_sums + head;
      log_sums[t] = block_.log_sums[i];
      deltas[t] = block_.deltas[i];
    }
    const float slope = block_.alibi_slopes ? block_.alibi_slopes[head] * kLog2E : 0.0f;
    const F scale = S::set1(shape_.scale * kLog2E);
    const F cap_scale = S::set1(shape_.scale / (shape_.soft_cap > 0 ? shape_.soft_cap : 1)), cap_log = S::set1(shape_.soft_cap * kLog2E);
    for (int64_t s = 0; s < kBlock; ++s) {
      float* scores = scores_ + s * kBlock;
      float* d_scores = d_scores_ + s * kBlock;
      // Query t sees key s for t in [first, last).
      int64_t first = key + s - query, last = shape_.window > 0 ? min(queries, first + shape_.window) : queries;
      if (first < 0 || key + s < block_.prefix) first = 0;
      if (s >= keys || last < first) last = first = 0;
      for (int64_t t = 0; t < kBlock; t += kLanes) {
        F score = S::load(scores + t), slope_of_cap = S::set1(1.0f);
        if (shape_.soft_cap > 0) {
          const F bent = Math<S>::tanh(S::mul(score, cap_scale));
          slope_of_cap = S::fnma(bent, bent, slope_of_cap);
          score = S::mul(cap_log, bent);
        } else {
          score = S::mul(score, scale);
        }
        if (block_.alibi_slopes) {
          float bias[kLanes];
          for (int64_t i = 0; i < kLanes; ++i) bias[i] = slope * static_cast<float>(key + s - query - t - i);
          score = S::add(score, S::load(bias));
        }
        if (block_.relative_bias) score = S::fma(S::set1(kLog2E), load_bias(head, key + s - query - t), score);
        F p = Math<S>::exp2_below(S::min(S::sub(score, S::load(log_sums + t)), S::set1(1.0f)));
        if (t < first || t + kLanes > last) p = only(p, first - t, last - t);
        S::store(scores + t, p);
        const F d_score = S::mul(p, S::sub(S::load(d_scores + t), S::load(deltas + t)));
        S::store(d_scores + t, d_score);
        if (block_.d_relative_bias) add_bias_gradient(head, key + s - query - t, d_scores + t);
        S::store(d_scores + t, S::mul(d_score, slope_of_cap));
      }
    }
  }
  // Of queries one after the other, the first at `distance` before the key.
  int64_t place_of_bias(int64_t head, int64_t distance) const {
    const int64_t reach = shape_.reach;
    return head * (2 * reach + 1) + reach + (distance < -reach ? -reach : min(distance, reach));
  }
  F load_bias(int64_t head, int64_t distance) const {
    float lanes[kLanes];
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] = block_.relative_bias[place_of_bias(head, distance - i)];
    return S::load(lanes);
  }
  void add_bias_gradient(int64_t head, int64_t distance, const float* d_scores) const {
    for (int64_t i = 0; i < kLanes; ++i) block_.d_relative_bias[place_of_bias(head, distance - i)] += d_scores[i];
  }
  // Lanes [begin, end), zeros elsewhere.
  static F only(F p, int64_t begin, int64_t end) {
    float lanes[kLanes];
    S::store(lanes, p);
    for (int64_t i = 0; i < kLanes; ++i) {
      if (i < begin || i >= end) lanes[i] = 0;
    }
    return S::load(lanes);
  }

  // Rows of words [kBlock, words], inputs along the head; zeros beyond the rows.
  void to_rows(const float* x, int64_t ldx, int64_t rows, float* out) const {
    for (int64_t r = 0; r < kBlock; ++r) {
      for (int64_t w = 0; w < words_; w += kLanes) {
        F parts[kInputs];
        for (int64_t i = 0; i < kInputs; ++i)
          parts[i] = r < rows ? load_left<S>(x + r * ldx + w * kInputs + i * kLanes, D_ - w * kInputs - i * kLanes) : S::zero();
        S::store(out + r * words_ + w, P::pack(parts));
      }
    }
  }
  // A panel of words [kSteps, width], inputs along the rows.
  void to_panel(const float* x, int64_t ldx, int64_t rows, float* out) const {
    for (int64_t step = 0; step < kSteps; ++step) {
      for (int64_t d = 0; d < width_; d += kLanes) {
        F parts[kInputs];
        for (int64_t i = 0; i < kInputs; ++i) {
          const int64_t r = step * kInputs + i;
          parts[i] = r < rows ? load_left<S>(x + r * ldx + d, D_ - d) : S::zero();
        }
        S::store(out + step * width_ + d, P::combine(parts));
      }
    }
  }
  // A block of kBlock x kBlock floats as rows of words.
  static void pack_rows(const float* x, float* out) {
    for (int64_t i = 0; i < kBlock * kSteps; i += kLanes) {
      F parts[kInputs];
      for (int64_t n = 0; n < kInputs; ++n) parts[n] = S::load(x + i * kInputs + n * kLanes);
      S::store(out + i, P::pack(parts));
    }
  }
  // [kBlock, columns] -> [columns, kBlock]; columns are whole vectors.
  static void turn(const float* x, int64_t ldx, int64_t columns, float* out) {
    for (int64_t r = 0; r < kBlock; r += kLanes) {
      for (int64_t c = 0; c < columns; c += kLanes) {
        F square[kLanes];
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; ++i) square[i] = S::load(x + (r + i) * ldx + c);
        S::transpose_square(square);
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; ++i) S::store(out + (c + i) * kBlock + r, square[i]);
      }
    }
  }

  // c [rows, columns] (+)= a [rows, steps] b [steps, columns]
  static void multiply(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t steps, int64_t columns, float* c, int64_t ldc,
                       bool adds, int64_t rows = kBlock) {
    for (int64_t r = 0; r < rows; r += S::kTileRows) {
      int64_t n = 0;
      for (; n + 4 * kLanes <= columns; n += 4 * kLanes)
        tile<S::kTileRows, 4>(a + r * lda, lda, b + n, ldb, steps, rows - r, c + r * ldc + n, ldc, adds);
      for (; n + 2 * kLanes <= columns; n += 2 * kLanes)
        tile<S::kTileRows, 2>(a + r * lda, lda, b + n, ldb, steps, rows - r, c + r * ldc + n, ldc, adds);
    }
  }
  template <int R, int N>
  static void tile(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t steps, int64_t rows, float* c, int64_t ldc,
                   bool adds) {
    if constexpr (R > 1) {
      if (rows < R) return tile<R - 1, N>(a, lda, b, ldb, steps, rows, c, ldc, adds);
    }
    F sums[R][N];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) sums[r][n] = S::zero();
    }
    multiply_tile<S, P, R, N, false>(a, lda, b, ldb, 0, steps, nullptr, sums);
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < N; ++n) {
        float* p = c + r * ldc + n * kLanes;
        S::store(p, adds ? S::add(S::load(p), sums[r][n]) : sums[r][n]);
      }
    }
  }

  void write(const float* sums, float* out, float factor) const {
    const F factors = S::set1(factor);
    for (int64_t d = 0; d < D_; d += kLanes) {
      const F value = S::mul(factors, S::load(sums + d));
      store_left<S>(out + d, value, D_ - d);
    }
  }

  const AttentionShape& shape_;
  const AttentionBackwardBlock& block_;
  int64_t D_;
  int64_t width_;                        // D, filled up
  int64_t words_;                        // of a row of width_ inputs
  float *key_rows_, *value_rows_;        // [kBlock, words]
  float* key_panel_;                     // [kSteps, width]
  float *dk_, *dv_;                      // [kBlock, width]
  float *query_turned_, *d_out_turned_;  // [words, kBlock]
  float *query_panel_, *d_out_panel_;    // [kSteps, width]
  float* rows_;                          // [kBlock, words]
  float *scores_, *d_scores_;            // [keys, queries]
  float* weights_;                       // [kBlock, kSteps] words
  float* turned_;                        // [queries, keys]
  float* dq_;                            // [rows, heads, width]
};

}  // namespace atelier::kernels
