// Linear layers with bfloat16 weights and activations rounded to bfloat16, for an ISA that multiplies pairs of them into float32.
//
// One sum over K is cut into chunks of at most kChunk inputs. In a chunk, lane i adds the products of inputs 2i and 2i + 1 of every 32, in
// ascending order; lanes are added in the order of S::sum; chunks are added in ascending order; the bias comes last. As in gemm_f32.h,
// tiles share loads, never sums.
#pragma once

#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct GemmBf16 {
  using F = typename S::F;
  using I = typename S::I;

  static constexpr int64_t kInputs = 2 * S::kLanes;  // of a vector
  static constexpr int64_t kChunk = 1536;            // inputs: a tile's rows of a chunk stay in the L1 cache, the weights in the L2
  static constexpr int kTileOutputs = 4;
  static constexpr int64_t kAhead = 4096;  // bytes from a weight of a single row's product to one that is asked for

  static void round_rows(const FloatRows& x, uint16_t* out, int64_t width, int64_t row_begin, int64_t row_end) {
    for (int64_t t = row_begin; t < row_end; ++t) round_row(x.x + t * x.ldx, x.K, out + t * width, width);
  }

  static void linear(const Bf16Rows& x, const OutputBlock& block) {
    if (x.T == 1) return multiply_row(x, block);
    for (int64_t k = 0; k < x.K; k += kChunk) {
      const Chunk chunk = chunk_at(x, k);
      int64_t t = 0;
      for (; t + S::kTileRows <= x.T; t += S::kTileRows) outputs<S::kTileRows>(x, t, chunk, block);
      rest_of_rows<S::kTileRows - 1>(x, t, chunk, block);
    }
  }

 private:
  // Inputs [first, first + count) of K.
  struct Chunk {
    int64_t first, count, K;
  };

  static Chunk chunk_at(const Bf16Rows& x, int64_t k) { return {k, x.K - k < kChunk ? x.K - k : kChunk, x.K}; }

  // One row with one output after the other: the weights are one ascending stream.
  static void multiply_row(const Bf16Rows& x, const OutputBlock& block) {
    for (int64_t n = 0; n < block.N; ++n) {
      for (int64_t k = 0; k < x.K; k += kChunk) tile<1, 1>(x, 0, chunk_at(x, k), block, n);
    }
  }

  // K values and zeros up to `width`, which is whole vectors.
  static void round_row(const float* x, int64_t K, uint16_t* out, int64_t width) {
    for (int64_t k = 0; k < width; k += kInputs) {
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
  static void rest_of_rows(const Bf16Rows& x, int64_t t, const Chunk& chunk, const OutputBlock& block) {
    if constexpr (R > 0) {
      if (x.T - t == R) return outputs<R>(x, t, chunk, block);
      rest_of_rows<R - 1>(x, t, chunk, block);
    }
  }

  // R rows with all outputs of the block.
  template <int R>
  static void outputs(const Bf16Rows& x, int64_t t, const Chunk& chunk, const OutputBlock& block) {
    int64_t n = 0;
    for (; n + kTileOutputs <= block.N; n += kTileOutputs) tile<R, kTileOutputs>(x, t, chunk, block, n);
    for (; n < block.N; ++n) tile<R, 1>(x, t, chunk, block, n);
  }

  template <int R, int N>
  static void tile(const Bf16Rows& x, int64_t t, const Chunk& chunk, const OutputBlock& block, int64_t n) {
    const uint16_t* xs = x.x + t * x.width + chunk.first;
    const uint8_t* ws = block.w + n * block.row_bytes + 2 * chunk.first;
    F sums[R][N];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i) sums[r][i] = S::zero();
    }
    int64_t k = 0;
    for (; k + kInputs <= chunk.count; k += kInputs) {
      const auto load = [&](int i) {
        const uint8_t* w = ws + i * block.row_bytes + 2 * k;
        if (R == 1) S::prefetch(w + kAhead);
        return S::load_bytes(w);
      };
      step<R, N>(xs + k, x.width, load, sums);
    }
    if (k < chunk.count) {
      const int rest = static_cast<int>(chunk.count - k);
      step<R, N>(
          xs + k, x.width,
          [&](int i) { return S::load_partial_u16(reinterpret_cast<const uint16_t*>(ws + i * block.row_bytes) + k, rest); }, sums);
    }
    const bool is_first = chunk.first == 0, adds_bias = block.bias != nullptr && chunk.first + chunk.count == chunk.K;
    float* y = block.y + t * block.ldy + n;
    if constexpr (N == 4) {
      typename S::Quad lanes[R];
      S::template sum_rows<R>(sums, lanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r, y += block.ldy) {
        if (!is_first) lanes[r] = S::add_quad(S::load_quad(y), lanes[r]);
        S::store_quad(y, adds_bias ? S::add_quad(lanes[r], S::load_quad(block.bias + n)) : lanes[r]);
      }
    } else {
      static_assert(N == 1);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r, y += block.ldy) {
        const float sum = is_first ? S::sum(sums[r][0]) : *y + S::sum(sums[r][0]);
        *y = adds_bias ? sum + block.bias[n] : sum;
      }
    }
  }

  // One vector of inputs: R rows of `xs` with the weights that load(i) gives for output i.
  template <int R, int N, class Load>
  static void step(const uint16_t* xs, int64_t width, const Load& load, F (*sums)[N]) {
    I rows[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) rows[r] = S::load_bytes(xs + r * width);
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) {
      const I w = load(i);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sums[r][i] = S::dot_bf16(sums[r][i], rows[r], w);
    }
  }
};

}  // namespace atelier::kernels
