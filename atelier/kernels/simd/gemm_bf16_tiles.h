// Linear layers with bfloat16 products of tiles (simd/tiles.h).
//
// The sum of an output is one chain of tile products over steps of 32 inputs, in ascending order; the bias comes last. Many rows meet
// a panel of 32 outputs, whose words GemmBf16 turns. Up to sixteen rows are turned themselves and meet the weights as they lie: the same
// products with their operands in each other's place, and the same bits.
#pragma once

#include "atelier/kernels/simd/gemm_bf16.h"
#include "atelier/kernels/simd/tiles.h"

namespace atelier::kernels {

template <class S>
class GemmBf16Tiles : GemmBf16<S> {
  using Base = GemmBf16<S>;
  using F = typename S::F;
  template <class W>
  using Weights = typename Base::template Weights<W>;

  static constexpr int64_t kChunk = 256;                 // words: the panel's part for them takes 32 KiB of the L1 cache
  static constexpr int64_t kColumns = 2 * kTileWords;    // of a panel
  static constexpr int64_t kPanelStride = kColumns * 4;  // bytes
  static constexpr int64_t kSumStride = kColumns * 4;    // bytes, of sums that are not written in place
  static_assert(kColumns == Base::kColumns && kTileWords == S::kLanes);

 public:
  static void linear(const Bf16Rows& x, const OutputBlock& block, void* scratch) {
    auto* memory = static_cast<float*>(scratch);
    if (block.dtype == DType::kF32) return panels(x, Weights<float>(block, x.K), block, memory);
    const Weights<uint16_t> weights(block, x.K);
    x.T <= kTileRows ? few_rows(x, weights, block, memory) : panels(x, weights, block, memory);
  }

 private:
  static constexpr int64_t whole_words(int64_t K) { return (K + 2 * kTileWords - 1) / (2 * kTileWords) * kTileWords; }

  template <class W>
  static void panels(const Bf16Rows& x, const Weights<W>& weights, const OutputBlock& block, float* panel) {
    const Tiles tiles(TileShapes::all_whole());
    const int64_t words = whole_words(x.K);
    for (int64_t n = 0; n < block.N; n += kColumns) {
      Base::pack(weights, n, panel);
      for (int64_t begin = 0; begin < words; begin += kChunk) {
        const int64_t end = words - begin < kChunk ? words : begin + kChunk;
        for (int64_t t = 0; t < x.T; t += 2 * kTileRows) {
          x.T - t > kTileRows ? rows<true>(x, t, panel, begin, end, block, n) : rows<false>(x, t, panel, begin, end, block, n);
        }
      }
      if (block.bias != nullptr) add_bias(x.T, block, n);
    }
  }

  // Up to 32 rows, or 16, from t on with the panel's words [begin, end).
  template <bool kTwo>
  static void rows(const Bf16Rows& x, int64_t t, const float* panel, int64_t begin, int64_t end, const OutputBlock& block, int64_t n) {
    constexpr int64_t kRows = kTwo ? 2 * kTileRows : kTileRows;
    const int64_t num_rows = x.T - t < kRows ? x.T - t : kRows, columns = block.N - n < kColumns ? block.N - n : kColumns;
    float* y = block.y + t * block.ldy + n;
    if (num_rows == kRows && columns == kColumns) return add_products<kTwo>(x, t, panel, begin, end, y, block.ldy * 4);
    alignas(64) float sums[kRows * kColumns];
    if (begin > 0) copy_columns<S>(y, block.ldy, sums, kColumns, num_rows, columns);
    add_products<kTwo>(x, t, panel, begin, end, sums, kSumStride);
    copy_columns<S>(sums, kColumns, y, block.ldy, num_rows, columns);
  }

  // sums += the products of words [begin, end), or their products alone where begin is 0; rows of `sums` are `stride` bytes apart.
  template <bool kTwo>
  static void add_products(const Bf16Rows& x, int64_t t, const float* panel, int64_t begin, int64_t end, float* sums, int64_t stride) {
    auto* const top = reinterpret_cast<uint8_t*>(sums);
    uint8_t* const bottom = top + kTileRows * stride;
    if (begin == 0) {
      Tiles::clear<0>();
      Tiles::clear<1>();
      if constexpr (kTwo) {
        Tiles::clear<2>();
        Tiles::clear<3>();
      }
    } else {
      Tiles::load<0>(top, stride);
      Tiles::load<1>(top + kTileBytes, stride);
      if constexpr (kTwo) {
        Tiles::load<2>(bottom, stride);
        Tiles::load<3>(bottom + kTileBytes, stride);
      }
    }
    const int64_t row_bytes = x.width * 2;
    const auto* row = reinterpret_cast<const uint8_t*>(x.x + t * x.width);
    for (int64_t w = begin; w < end; w += kTileWords) {
      Tiles::load<6>(panel + w * kColumns, kPanelStride);
      Tiles::load<4>(row + w * 4, row_bytes);
      Tiles::add_bf16<0, 4, 6>();
      Tiles::load<7>(panel + w * kColumns + kTileWords, kPanelStride);
      Tiles::add_bf16<1, 4, 7>();
      if constexpr (kTwo) {
        Tiles::load<5>(row + kTileRows * row_bytes + w * 4, row_bytes);
        Tiles::add_bf16<2, 5, 6>();
        Tiles::add_bf16<3, 5, 7>();
      }
    }
    Tiles::store<0>(top, stride);
    Tiles::store<1>(top + kTileBytes, stride);
    if constexpr (kTwo) {
      Tiles::store<2>(bottom, stride);
      Tiles::store<3>(bottom + kTileBytes, stride);
    }
  }

  // At most sixteen rows with the weights in place: c[n][t].
  static void few_rows(const Bf16Rows& x, const Weights<uint16_t>& weights, const OutputBlock& block, float* memory) {
    const int64_t words = whole_words(x.K), T = x.T;
    const float* turned = T == 1 ? Base::words_of(x, 0) : turn_rows(x, words, memory);
    const int64_t whole = block.N / (2 * kTileRows) * (2 * kTileRows);
    if (whole > 0) {
      const Tiles tiles(few_shapes(kTileRows, T));
      for (int64_t n = 0; n < whole; n += 2 * kTileRows) outputs<true>(turned, words, T, weights, block, n, kTileRows);
    }
    for (int64_t n = whole; n < block.N; n += kTileRows) {
      const int64_t count = block.N - n < kTileRows ? block.N - n : kTileRows;
      const Tiles tiles(few_shapes(count, T));
      outputs<false>(turned, words, T, weights, block, n, count);
    }
  }

  // Tiles 0 and 1: sums; 4 and 5: weights; 6: rows of x.
  static TileShapes few_shapes(int64_t outputs, int64_t T) {
    TileShapes shapes;
    for (int i = 0; i < 2; ++i) shapes.set(i, outputs, 4 * T).set(4 + i, outputs, kTileBytes);
    return shapes.set(6, kTileWords, 4 * T);
  }

  // Word w of row t at [w][t].
  static const float* turn_rows(const Bf16Rows& x, int64_t words, float* out) {
    for (int64_t w = 0; w < words; w += kTileWords) {
      F square[kTileRows];
#pragma GCC unroll 16
      for (int64_t t = 0; t < kTileRows; ++t) square[t] = t < x.T ? S::load(Base::words_of(x, t) + w) : S::zero();
      S::transpose_square(square);
#pragma GCC unroll 16
      for (int64_t i = 0; i < kTileWords; ++i) S::store_partial(out + (w + i) * x.T, square[i], static_cast<int>(x.T));
    }
    return out;
  }

  // Outputs n .. n + count - 1, and as many behind them where kTwo.
  template <bool kTwo>
  static void outputs(const float* turned, int64_t words, int64_t T, const Weights<uint16_t>& weights, const OutputBlock& block, int64_t n,
                      int64_t count) {
    const int64_t row_bytes = weights.stride * 2, whole = weights.K / (2 * kTileWords) * kTileWords;
    const auto* w = reinterpret_cast<const uint8_t*>(weights.w + n * weights.stride);
    const uint8_t* const behind = w + kTileRows * row_bytes;
    const uint8_t* next = w + (kTwo ? 2 : 1) * kTileRows * row_bytes;  // what is read next, asked for meanwhile
    Tiles::clear<0>();
    if constexpr (kTwo) Tiles::clear<1>();
    for (int64_t i = 0; i < whole; i += kTileWords) {
#pragma GCC unroll 32
      for (int line = 0; line < (kTwo ? 32 : 16); ++line, next += kTileBytes) S::prefetch_l2(next);
      Tiles::load<6>(turned + i * T, 4 * T);
      Tiles::load<4>(w + i * 4, row_bytes);
      Tiles::add_bf16<0, 4, 6>();
      if constexpr (kTwo) {
        Tiles::load<5>(behind + i * 4, row_bytes);
        Tiles::add_bf16<1, 5, 6>();
      }
    }
    if (whole < words) {  // inputs that fill no step, with zeros behind them
      alignas(64) uint16_t rest[2][kTileRows * 2 * kTileWords] = {};
      const int64_t left = weights.K - 2 * whole;
      for (int64_t r = 0; r < (kTwo ? 2 * kTileRows : count); ++r) {
        for (int64_t i = 0; i < left; ++i) {
          rest[r / kTileRows][r % kTileRows * 2 * kTileWords + i] = weights.w[(n + r) * weights.stride + 2 * whole + i];
        }
      }
      Tiles::load<6>(turned + whole * T, 4 * T);
      Tiles::load<4>(rest[0], kTileBytes);
      Tiles::add_bf16<0, 4, 6>();
      if constexpr (kTwo) {
        Tiles::load<5>(rest[1], kTileBytes);
        Tiles::add_bf16<1, 5, 6>();
      }
    }
    alignas(64) float sums[kTileRows * kTileWords] = {};
    Tiles::store<0>(sums, 4 * T);
    put(sums, T, block, n, count);
    if constexpr (kTwo) {
      Tiles::store<1>(sums, 4 * T);
      put(sums, T, block, n + kTileRows, count);
    }
  }

  // Writes sums [count, T] as y[t, n ...], the bias added.
  static void put(const float* sums, int64_t T, const OutputBlock& block, int64_t n, int64_t count) {
    F rows[kTileRows];
    if (T == 1) {
      rows[0] = S::load(sums);
    } else {
#pragma GCC unroll 16
      for (int64_t i = 0; i < kTileRows; ++i) rows[i] = S::load_partial(sums + i * T, static_cast<int>(T));
      S::transpose_square(rows);
    }
    const F bias = block.bias != nullptr ? load_left<S>(block.bias + n, count) : S::zero();
    for (int64_t t = 0; t < T; ++t) {
      store_left<S>(block.y + t * block.ldy + n, block.bias != nullptr ? S::add(rows[t], bias) : rows[t], count);
    }
  }

  static void add_bias(int64_t T, const OutputBlock& block, int64_t n) {
    for (int64_t v = 0; v < kColumns && n + v < block.N; v += S::kLanes) {
      const int64_t left = block.N - n - v;
      const F bias = load_left<S>(block.bias + n + v, left);
      for (int64_t t = 0; t < T; ++t) {
        float* y = block.y + t * block.ldy + n + v;
        store_left<S>(y, S::add(load_left<S>(y, left), bias), left);
      }
    }
  }
};

}  // namespace atelier::kernels
