// Products of float rows, the fixed order of their sums, and linear layers made of them.
//
// One sum over K is cut into chunks of at most kChunk inputs (a function of K alone). In a chunk, lane i adds x[k] w[k] for k = i,
// i + kLanes, ... by fused multiply-add; lanes are added in the order of S::sum; chunks are added in ascending order; the bias comes
// last. Tiles of several rows and outputs share loads, never sums, so that each output is the same in a tile of any size.
#pragma once

#include "atelier/kernels/simd/panel.h"

namespace atelier::kernels {

template <class S>
struct GemmF32 {
  using F = typename S::F;

  static constexpr int64_t kChunk = 768;  // inputs: kRowBlock rows of a chunk fit the L1 cache
  static constexpr int64_t kRowBlock = S::kTileRows * (9 / S::kTileRows);
  static constexpr int kTileOutputs = 4;

  // y[t, n] (+)= x[t, :] . w[n, :] over one chunk of K inputs, for R rows and N outputs.
  template <int R, int N>
  static void tile(const float* x, int64_t ldx, const float* w, int64_t ldw, int64_t K, float* y, int64_t ldy, bool is_first) {
    F sums[R][N];
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < N; ++n) sums[r][n] = S::zero();
    }
    int64_t k = 0;
    for (; k + S::kLanes <= K; k += S::kLanes) {
      F xs[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) xs[r] = S::load(x + r * ldx + k);
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        const F ws = S::load(w + n * ldw + k);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][n] = S::fma(xs[r], ws, sums[r][n]);
      }
    }
    if (k < K) {
      const int rest = static_cast<int>(K - k);
      for (int n = 0; n < N; ++n) {
        const F ws = S::load_partial(w + n * ldw + k, rest);
        for (int r = 0; r < R; ++r) sums[r][n] = S::fma(S::load_partial(x + r * ldx + k, rest), ws, sums[r][n]);
      }
    }
    for (int r = 0; r < R; ++r) {
      float lanes[N];
      if constexpr (N % 4 == 0) {
        for (int n = 0; n < N; n += 4) S::store_sums(lanes + n, sums[r][n], sums[r][n + 1], sums[r][n + 2], sums[r][n + 3]);
      } else {
        for (int n = 0; n < N; ++n) lanes[n] = S::sum(sums[r][n]);
      }
      for (int n = 0; n < N; ++n) y[r * ldy + n] = is_first ? lanes[n] : y[r * ldy + n] + lanes[n];
    }
  }

  // R rows with N outputs, one chunk.
  template <int R>
  static void row_tile(const float* x, int64_t ldx, const float* w, int64_t ldw, int64_t K, int64_t N, float* y, int64_t ldy,
                       bool is_first) {
    constexpr int kWide = R == 1 ? 8 : kTileOutputs;  // a single row needs more outputs to hide the latency of its additions
    int64_t n = 0;
    for (; n + kWide <= N; n += kWide) tile<R, kWide>(x, ldx, w + n * ldw, ldw, K, y + n, ldy, is_first);
    for (; n < N; ++n) tile<R, 1>(x, ldx, w + n * ldw, ldw, K, y + n, ldy, is_first);
  }

  // T rows with one tile of N outputs, one chunk.
  template <int N>
  static void output_tile(const float* x, int64_t ldx, int64_t T, const float* w, int64_t ldw, int64_t K, float* y, int64_t ldy,
                          bool is_first) {
    constexpr int R = S::kTileRows;
    int64_t t = 0;
    for (; t + R <= T; t += R) tile<R, N>(x + t * ldx, ldx, w, ldw, K, y + t * ldy, ldy, is_first);
    rest_of_rows<R - 1, N>(x + t * ldx, ldx, T - t, w, ldw, K, y + t * ldy, ldy, is_first);
  }
  template <int R, int N>
  static void rest_of_rows(const float* x, int64_t ldx, int64_t T, const float* w, int64_t ldw, int64_t K, float* y, int64_t ldy,
                           bool is_first) {
    if constexpr (R > 0) {
      if (T == R) return tile<R, N>(x, ldx, w, ldw, K, y, ldy, is_first);
      rest_of_rows<R - 1, N>(x, ldx, T, w, ldw, K, y, ldy, is_first);
    }
  }

  // y[t, n] = x[t, :] . w[n, :] for float32 rows of stride ldw.
  static void multiply(const float* x, int64_t ldx, int64_t T, const float* w, int64_t ldw, int64_t K, int64_t N, float* y, int64_t ldy) {
    for (int64_t k = 0; k < K; k += kChunk) {
      const int64_t chunk = K - k < kChunk ? K - k : kChunk;
      const bool is_first = k == 0;
      if (T == 1) {
        row_tile<1>(x + k, ldx, w + k, ldw, chunk, N, y, ldy, is_first);
        continue;
      }
      for (int64_t t = 0; t < T; t += kRowBlock) {
        const int64_t rows = T - t < kRowBlock ? T - t : kRowBlock;
        int64_t n = 0;
        for (; n + kTileOutputs <= N; n += kTileOutputs) {
          output_tile<kTileOutputs>(x + t * ldx + k, ldx, rows, w + n * ldw + k, ldw, chunk, y + t * ldy + n, ldy, is_first);
        }
        for (; n < N; ++n) output_tile<1>(x + t * ldx + k, ldx, rows, w + n * ldw + k, ldw, chunk, y + t * ldy + n, ldy, is_first);
      }
    }
  }
};

}  // namespace atelier::kernels
