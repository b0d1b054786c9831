// Products of float rows, the fixed order of their sums, and linear layers made of them.
//
// One sum over K is cut into chunks of at most kChunk inputs (a function of K alone). In a chunk, lane i adds x[k] w[k] for k = i,
// i + kLanes, ... by fused multiply-add; lanes are added in the order of S::sum; chunks are added in ascending order; the bias comes
// last. Tiles of several rows and outputs share loads, never sums, so that each output is the same in a tile of any size.
#pragma once

#include "atelier/kernels/simd/panel.h"

namespace atelier::kernels {

// How weights become floats on their way into a product.
template <class S>
struct FloatWeights {
  using Element = float;
  static typename S::F load(const float* p) { return S::load(p); }
  static typename S::F load_partial(const float* p, int count) { return S::load_partial(p, count); }
};
template <class S, bool kIsBf16>
struct HalfWeights {
  using Element = uint16_t;
  static typename S::F load(const uint16_t* p) { return kIsBf16 ? S::load_bf16(p) : S::load_f16(p); }
  static typename S::F load_partial(const uint16_t* p, int count) {
    uint16_t rest[S::kLanes] = {};
    for (int i = 0; i < count; ++i) rest[i] = p[i];
    return load(rest);
  }
};

template <class S>
struct GemmF32 {
  using F = typename S::F;

  static constexpr int64_t kChunk = 768;  // inputs: kRowBlock rows of a chunk fit the L1 cache
  static constexpr int64_t kRowBlock = S::kTileRows * (9 / S::kTileRows);
  static constexpr int kTileOutputs = 4;
  static constexpr int64_t kAhead = 4096;  // bytes from a weight of a single row's product to one that is asked for

  // y[t, n] (+)= x[t, :] . w[n, :] over one chunk of K inputs, for R rows and N outputs.
  template <int R, int N, class Weights = FloatWeights<S>>
  static void tile(const float* x, int64_t ldx, const typename Weights::Element* w, int64_t ldw, int64_t K, float* y, int64_t ldy,
                   bool is_first) {
    F sums[R][N];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) sums[r][n] = S::zero();
    }
    int64_t k = 0;
    for (; k + S::kLanes <= K; k += S::kLanes) {
      F xs[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) xs[r] = S::load(x + r * ldx + k);
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        if (R == 1) S::prefetch(reinterpret_cast<const uint8_t*>(w + n * ldw + k) + kAhead);
        const F ws = Weights::load(w + n * ldw + k);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][n] = S::fma(xs[r], ws, sums[r][n]);
      }
    }
    if (k < K) {
      const int rest = static_cast<int>(K - k);
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        const F ws = Weights::load_partial(w + n * ldw + k, rest);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][n] = S::fma(S::load_partial(x + r * ldx + k, rest), ws, sums[r][n]);
      }
    }
    if constexpr (N == 4) {
      typename S::Quad lanes[R];
      S::template sum_rows<R>(sums, lanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) S::store_quad(y + r * ldy, is_first ? lanes[r] : S::add_quad(S::load_quad(y + r * ldy), lanes[r]));
    } else {
      static_assert(N == 1);
      for (int r = 0; r < R; ++r) y[r * ldy] = is_first ? S::sum(sums[r][0]) : y[r * ldy] + S::sum(sums[r][0]);
    }
  }

  // One row with all outputs, one after the other: the weights are one ascending stream.
  template <class Weights>
  static void multiply_row(const float* x, const typename Weights::Element* w, int64_t ldw, int64_t K, int64_t N, float* y) {
    for (int64_t n = 0; n < N; ++n) {
      for (int64_t k = 0; k < K; k += kChunk) {
        const int64_t chunk = K - k < kChunk ? K - k : kChunk;
        tile<1, 1, Weights>(x + k, 0, w + n * ldw + k, ldw, chunk, y + n, 0, k == 0);
      }
    }
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
    if (T == 1) return multiply_row<FloatWeights<S>>(x, w, ldw, K, N, y);
    for (int64_t k = 0; k < K; k += kChunk) {
      const int64_t chunk = K - k < kChunk ? K - k : kChunk;
      const bool is_first = k == 0;
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
