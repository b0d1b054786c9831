// Linear layers with bfloat16 products, for an ISA that multiplies pairs of them into float32.
//
// A word is a pair of inputs. The sum of an output is one chain over the words of a chunk of kChunk words, in ascending order; chunks are
// added in ascending order; the bias comes last. Outputs lie side by side in a vector, so that a sum never has lanes to join: words
// of sixteen weight rows are turned on their way in, for few rows of bfloat16 weights in registers, else into a panel.
// Tiles share loads, never sums.
#pragma once

#include "atelier/kernels/simd/attention_products.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct GemmBf16 {
  using F = typename S::F;
  using I = typename S::I;
  using Products = ProductsBf16<S>;

  static constexpr int64_t kLanes = S::kLanes;
  static constexpr int64_t kInputs = 2 * kLanes;  // of a vector
  static constexpr int64_t kChunk = 128;          // words: a tile's rows and the panel's part for them stay in the L1 cache
  static constexpr int kRows = 12, kVectors = 2;  // of a tile: 24 sums
  static constexpr int64_t kColumns = kVectors * kLanes;
  static constexpr int kFewRows = 4;  // that need no panel

  static void round_rows(const FloatRows& x, uint16_t* out, int64_t width, int64_t row_begin, int64_t row_end) {
    for (int64_t t = row_begin; t < row_end; ++t) round_row(x.x + t * x.ldx, x.K, out + t * width, width);
  }

  static void linear(const Bf16Rows& x, const OutputBlock& block, void* scratch) {
    if (block.dtype == DType::kF32) return panels(x, Weights<float>(block, x.K), block, static_cast<float*>(scratch));
    const Weights<uint16_t> weights(block, x.K);
    x.T <= kFewRows ? few_rows<kFewRows>(x, weights, block) : panels(x, weights, block, static_cast<float*>(scratch));
  }

 protected:
  // Words [begin, end) of `all`.
  struct Chunk {
    int64_t begin, end, all;
  };
  template <class Use>
  static void for_each_chunk(int64_t words, const Use& use) {
    for (int64_t w = 0; w < words; w += kChunk) use(Chunk{w, words - w < kChunk ? words : w + kChunk, words});
  }

  // The words of `left` inputs from p on, with zeros behind them.
  static I words_at(const uint16_t* p, int64_t left) {
    return left >= kInputs ? S::load_bytes(reinterpret_cast<const uint8_t*>(p)) : S::load_partial_u16(p, static_cast<int>(left));
  }
  static I words_at(const float* p, int64_t left) { return S::round_bf16(load_left<S>(p, left), load_left<S>(p + kLanes, left - kLanes)); }
  static const float* words_of(const Bf16Rows& x, int64_t t) { return reinterpret_cast<const float*>(x.x + t * x.width); }

  // K values and zeros up to `width`, which is whole vectors.
  static void round_row(const float* x, int64_t K, uint16_t* out, int64_t width) {
    for (int64_t k = 0; k < width; k += kInputs) S::store_bytes(out + k, k < K ? words_at(x + k, K - k) : S::zero_int());
  }

  // The weight rows of a block, [N, K].
  template <class W>
  struct Weights {
    Weights(const OutputBlock& block, int64_t inputs)
        : w(reinterpret_cast<const W*>(block.w)), stride(block.row_bytes / static_cast<int64_t>(sizeof(W))), K(inputs), N(block.N) {}

    int64_t words() const { return (K + 1) / 2; }
    // square[i] = word `first` + i of outputs n .. n + kLanes - 1, zeros beyond N. Asks for as many bytes of the block that lies behind.
    void turn(int64_t n, int64_t first, F* square) const {
      constexpr int64_t kLines = kLanes * kLanes * 2 * sizeof(W) / 64;
      const auto* next = reinterpret_cast<const uint8_t*>(w + (N + n) * stride) + first / kLanes * kLines * 64;
#pragma GCC unroll 32
      for (int64_t i = 0; i < kLines; ++i) S::prefetch_l2(next + i * 64);
      const W* corner = w + n * stride + 2 * first;
      const int64_t left = K - 2 * first;
      if (n + kLanes <= N && left >= kInputs) {
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; ++i) square[i] = S::as_float(words_at(corner + i * stride, kInputs));
      } else {
#pragma GCC unroll 1
        for (int64_t i = 0; i < kLanes; ++i) square[i] = n + i < N ? S::as_float(words_at(corner + i * stride, left)) : S::zero();
      }
      S::transpose_square(square);
    }

    const W* w;
    int64_t stride, K, N;
  };

  // Many rows: one panel of kColumns outputs after the other.
  template <class W>
  static void panels(const Bf16Rows& x, const Weights<W>& weights, const OutputBlock& block, float* panel) {
    for (int64_t n = 0; n < block.N; n += kColumns) {
      pack(weights, n, panel);
      for_each_chunk(weights.words(), [&](const Chunk& chunk) {
        for (int64_t t = 0; t < x.T; t += kRows) tile<kRows>(x, t, chunk, panel, block, n);
      });
    }
  }

  // Whole vectors of words, with zeros behind the last.
  template <class W>
  static void pack(const Weights<W>& weights, int64_t n, float* panel) {
    for (int64_t w = 0; w < weights.words(); w += kLanes) {
      for (int64_t v = 0; v < kVectors; ++v) {
        F square[kLanes];
        weights.turn(n + v * kLanes, w, square);
        for (int64_t i = 0; i < kLanes; ++i) S::store(panel + (w + i) * kColumns + v * kLanes, square[i]);
      }
    }
  }

  // At most R rows with the outputs of the panel.
  template <int R>
  static void tile(const Bf16Rows& x, int64_t t, const Chunk& chunk, const float* panel, const OutputBlock& block, int64_t n) {
    if constexpr (R > 1) {
      if (x.T - t < R) return tile<R - 1>(x, t, chunk, panel, block, n);
    }
    F sums[R][kVectors];
    clear(sums);
    multiply_tile<S, Products, R, kVectors, false>(words_of(x, t), x.width / 2, panel, kColumns, chunk.begin, chunk.end, nullptr, sums);
    put(sums, chunk, block, t, n);
  }

  // All rows, at most R, with all outputs of the block.
  template <int R>
  static void few_rows(const Bf16Rows& x, const Weights<uint16_t>& weights, const OutputBlock& block) {
    if constexpr (R > 1) {
      if (x.T < R) return few_rows<R - 1>(x, weights, block);
    }
    for (int64_t n = 0; n < block.N; n += kColumns) {
      for_each_chunk(weights.words(), [&](const Chunk& chunk) {
        F sums[R][kVectors];
        clear(sums);
        for (int64_t w = chunk.begin; w < chunk.end; w += kLanes) {
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) add_words<R>(x, weights, n, v, w, chunk.end - w, sums);
        }
        put(sums, chunk, block, 0, n);
      });
    }
  }

  // Adds the words from w on, of which `left` are there, to the sums of vector v.
  template <int R>
  static void add_words(const Bf16Rows& x, const Weights<uint16_t>& weights, int64_t n, int v, int64_t w, int64_t left,
                        F (&sums)[R][kVectors]) {
    F square[kLanes];
    weights.turn(n + v * kLanes, w, square);
    const float* words = words_of(x, 0) + w;
    const auto add = [&](int64_t i) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) sums[r][v] = Products::step(sums[r][v], S::set1(words[r * (x.width / 2) + i]), square[i]);
    };
    if (left >= kLanes) {
#pragma GCC unroll 16
      for (int64_t i = 0; i < kLanes; ++i) add(i);
    } else {
#pragma GCC unroll 1
      for (int64_t i = 0; i < left; ++i) add(i);
    }
  }

  template <int R>
  static void clear(F (&sums)[R][kVectors]) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] = S::zero();
    }
  }

  // Adds the sums of a chunk to those of the chunks before it, and the bias behind the last.
  template <int R>
  static void put(const F (&sums)[R][kVectors], const Chunk& chunk, const OutputBlock& block, int64_t t, int64_t n) {
    const bool adds_bias = block.bias != nullptr && chunk.end == chunk.all;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const int64_t column = n + v * kLanes, left = block.N - column;
      if (left <= 0) return;
      const F bias = adds_bias ? load_left<S>(block.bias + column, left) : S::zero();
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        float* y = block.y + (t + r) * block.ldy + column;
        F sum = sums[r][v];
        if (chunk.begin > 0) sum = S::add(load_left<S>(y, left), sum);
        if (adds_bias) sum = S::add(sum, bias);
        store_left<S>(y, sum, left);
      }
    }
  }
};

}  // namespace atelier::kernels
