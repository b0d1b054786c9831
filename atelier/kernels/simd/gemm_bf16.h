// Linear layers with bfloat16 weights and activations rounded to bfloat16, for an ISA that multiplies pairs of them into float32.
//
// Lane i of a sum adds the products of inputs 2i and 2i + 1 of every 32, in ascending order; lanes are added in the order of S::sum.
#pragma once

#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct GemmBf16 {
  using F = typename S::F;
  using I = typename S::I;

  static constexpr int64_t kInputs = 2 * S::kLanes;   // of a vector
  static constexpr int64_t kRowBlock = S::kTileRows;  // rows that are rounded and multiplied together
  static constexpr int kTileOutputs = 4;

  static void linear(const FloatRows& x, const OutputBlock& block, void* scratch) {
    uint16_t* rounded = static_cast<uint16_t*>(scratch);
    const int64_t width = (x.K + kInputs - 1) / kInputs * kInputs;
    for (int64_t t = 0; t < x.T; t += kRowBlock) {
      const int64_t rows = x.T - t < kRowBlock ? x.T - t : kRowBlock;
      for (int64_t r = 0; r < rows; ++r) round_row(x.x + (t + r) * x.ldx, x.K, rounded + r * width);
      multiply<kRowBlock>(rounded, width, rows, x.K, block, t);
    }
  }

 private:
  // K values and zeros up to a whole vector.
  static void round_row(const float* x, int64_t K, uint16_t* out) {
    for (int64_t k = 0; k < K; k += kInputs) {
      F halves[2];
      for (int i = 0; i < 2; ++i) {
        const int64_t left = K - k - i * S::kLanes;
        const float* p = x + k + i * S::kLanes;
        halves[i] = left >= S::kLanes ? S::load(p) : left > 0 ? S::load_partial(p, static_cast<int>(left)) : S::zero();
      }
      S::store_bytes(out + k, S::round_bf16(halves[0], halves[1]));
    }
  }

  template <int R>
  static void multiply(const uint16_t* x, int64_t width, int64_t rows, int64_t K, const OutputBlock& block, int64_t t) {
    if constexpr (R > 1) {
      if (rows < R) return multiply<R - 1>(x, width, rows, K, block, t);
    }
    int64_t n = 0;
    for (; n + kTileOutputs <= block.N; n += kTileOutputs) tile<R, kTileOutputs>(x, width, K, block, t, n);
    for (; n < block.N; ++n) tile<R, 1>(x, width, K, block, t, n);
  }

  template <int R, int N>
  static void tile(const uint16_t* x, int64_t width, int64_t K, const OutputBlock& block, int64_t t, int64_t n) {
    F sums[R][N];
    for (int r = 0; r < R; ++r) {
      for (int i = 0; i < N; ++i) sums[r][i] = S::zero();
    }
    for (int64_t k = 0; k < K; k += kInputs) {
      I xs[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) xs[r] = S::load_bytes(x + r * width + k);
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i) {
        const uint16_t* w = reinterpret_cast<const uint16_t*>(block.w + (n + i) * block.row_bytes) + k;
        const I ws = K - k >= kInputs ? S::load_bytes(w) : S::load_partial_u16(w, static_cast<int>(K - k));
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][i] = S::dot_bf16(sums[r][i], xs[r], ws);
      }
    }
    for (int r = 0; r < R; ++r) {
      float* y = block.y + (t + r) * block.ldy + n;
      for (int i = 0; i < N; ++i) y[i] = S::sum(sums[r][i]) + (block.bias ? block.bias[n + i] : 0.0f);
    }
  }
};

}  // namespace atelier::kernels
