// The products of training (simd/matmul.h) as products of tiles, for words of bfloat16 pairs.
//
// The sum of an element is one chain of tile products over steps of sixteen words, in ascending order, begun with what c holds.
#pragma once

#include "atelier/kernels/simd/matmul.h"
#include "atelier/kernels/simd/tiles.h"

namespace atelier::kernels {

template <class S>
struct MatmulTiles {
  static constexpr MatmulKernels kernels() {
    MatmulKernels kernels = Matmul<S, ProductsBf16<S>>::kernels();
    kernels.multiply = multiply;
    return kernels;
  }

 private:
  static constexpr int64_t kChunk = 256;  // words of two columns of tiles: 32 KiB

  static void multiply(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t words, int64_t M, int64_t N, float* c, int64_t ldc,
                       bool adds) {
    const Tiles tiles(TileShapes::all_whole());
    const int64_t whole = words / kTileWords * kTileWords;
    for (int64_t n = 0; n < N; n += 2 * kTileWords) {
      for (int64_t begin = 0; begin < words; begin += kChunk) {
        const int64_t end = whole - begin < kChunk ? whole : begin + kChunk;
        const bool has_rest = whole < words && words - begin <= kChunk;
        for (int64_t m = 0; m < M; m += 2 * kTileRows) {
          const Operands operands{a + m * lda, lda, b + n, ldb, begin, end, has_rest ? words - whole : 0};
          block(operands, M - m, N - n, c + m * ldc + n, ldc, adds || begin > 0);
        }
      }
    }
  }

  // Words [begin, end) of both, whole steps, and `rest` more behind them.
  struct Operands {
    const float* a;
    int64_t lda;
    const float* b;
    int64_t ldb;
    int64_t begin, end, rest;
  };

  // At most 32 rows and 32 columns, of which `rows` and `columns` are there.
  static void block(const Operands& operands, int64_t rows, int64_t columns, float* c, int64_t ldc, bool adds) {
    if (rows >= 2 * kTileRows && columns >= 2 * kTileWords && operands.rest == 0) {
      begin_sums(c, ldc, adds);
      whole_steps(operands.a, operands.lda, operands);
      return end_sums(c, ldc);
    }
    rows = rows < 2 * kTileRows ? rows : 2 * kTileRows;
    columns = columns < 2 * kTileWords ? columns : 2 * kTileWords;
    alignas(64) float sums[2 * kTileRows * 2 * kTileWords] = {};
    if (adds) copy_columns<S>(c, ldc, sums, 2 * kTileWords, rows, columns);
    begin_sums(sums, 2 * kTileWords, true);
    if (rows == 2 * kTileRows) {
      whole_steps(operands.a, operands.lda, operands);
    } else {
      padded_steps(operands, rows);
    }
    if (operands.rest > 0) rest_step(operands, rows);
    end_sums(sums, 2 * kTileWords);
    copy_columns<S>(sums, 2 * kTileWords, c, ldc, rows, columns);
  }

  static void begin_sums(const float* c, int64_t ldc, bool adds) {
    if (!adds) {
      Tiles::clear<0>();
      Tiles::clear<1>();
      Tiles::clear<2>();
      return Tiles::clear<3>();
    }
    Tiles::load<0>(c, ldc * 4);
    Tiles::load<1>(c + kTileWords, ldc * 4);
    Tiles::load<2>(c + kTileRows * ldc, ldc * 4);
    Tiles::load<3>(c + kTileRows * ldc + kTileWords, ldc * 4);
  }
  static void end_sums(float* c, int64_t ldc) {
    Tiles::store<0>(c, ldc * 4);
    Tiles::store<1>(c + kTileWords, ldc * 4);
    Tiles::store<2>(c + kTileRows * ldc, ldc * 4);
    Tiles::store<3>(c + kTileRows * ldc + kTileWords, ldc * 4);
  }

  // One step: 32 rows of sixteen words at `a` with sixteen rows of 32 columns at `b`.
  static void step(const float* a, int64_t lda, const float* b, int64_t ldb) {
    Tiles::load<6>(b, ldb * 4);
    Tiles::load<4>(a, lda * 4);
    Tiles::add_bf16<0, 4, 6>();
    Tiles::load<7>(b + kTileWords, ldb * 4);
    Tiles::add_bf16<1, 4, 7>();
    Tiles::load<5>(a + kTileRows * lda, lda * 4);
    Tiles::add_bf16<2, 5, 6>();
    Tiles::add_bf16<3, 5, 7>();
  }
  static void whole_steps(const float* a, int64_t lda, const Operands& operands) {
    for (int64_t w = operands.begin; w < operands.end; w += kTileWords) step(a + w, lda, operands.b + w * operands.ldb, operands.ldb);
  }
  // The same for fewer than 32 rows, with zeros below them.
  static void padded_steps(const Operands& operands, int64_t rows) {
    alignas(64) float some[2 * kTileRows * kTileWords] = {};
    for (int64_t w = operands.begin; w < operands.end; w += kTileWords) {
      copy_columns<S>(operands.a + w, operands.lda, some, kTileWords, rows, kTileWords);
      step(some, kTileWords, operands.b + w * operands.ldb, operands.ldb);
    }
  }
  // The words behind the last whole step, with zeros behind them.
  static void rest_step(const Operands& operands, int64_t rows) {
    alignas(64) float a[2 * kTileRows * kTileWords] = {}, b[kTileWords * 2 * kTileWords] = {};
    const int64_t w = operands.end;
    copy_columns<S>(operands.a + w, operands.lda, a, kTileWords, rows, operands.rest);
    copy_columns<S>(operands.b + w * operands.ldb, operands.ldb, b, 2 * kTileWords, operands.rest, 2 * kTileWords);
    step(a, kTileWords, b, 2 * kTileWords);
  }
};

}  // namespace atelier::kernels
