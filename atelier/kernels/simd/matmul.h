// Products of training: c[m, n] (+)= sum_k a[k, m] b[k, n], both operands packed into words first (kernels/table.h).
//
// The sum of an element is one chain over the words of a chunk of kChunk words, in ascending order; chunks are added in ascending order.
// How rows and columns are put into tiles shares loads, never sums.
#pragma once

#include "atelier/kernels/simd/attention_products.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S, class P>
struct Matmul {
  using F = typename S::F;
  static constexpr int64_t kLanes = S::kLanes;
  static constexpr int64_t kInputs = P::kInputsPerStep;
  static constexpr int64_t kChunk = 128;  // words: a chunk of a panel, 32 KiB, stays in the L1 cache
  static constexpr int kRows = S::kTileRows;
  static constexpr int kVectors = 4;

  static constexpr MatmulKernels kernels() {
    if constexpr (kInputs == 2) {
      return {kInputs, pack_panels, pack_turned, pack_rows, multiply, pack_panels_bf16};
    } else {
      return {kInputs, pack_panels, pack_turned, pack_rows, multiply};
    }
  }

  static void pack_panels(const float* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t panel_stride) {
    for (int64_t k = 0; k < inputs; k += kInputs, out += kPanelColumns) {
      for (int64_t n = 0; n < columns; n += kLanes) {
        S::store(out + n / kPanelColumns * panel_stride + n % kPanelColumns, words_at(x, ldx, inputs, columns, k, n));
      }
      const int64_t filled = (columns + kLanes - 1) / kLanes * kLanes;  // the rest of the last panel
      for (int64_t n = filled; n % kPanelColumns != 0; n += kLanes) {
        S::store(out + n / kPanelColumns * panel_stride + n % kPanelColumns, S::zero());
      }
    }
  }

  static void pack_panels_bf16(const uint16_t* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t panel_stride) {
    const int64_t filled = (columns + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
    for (int64_t k = 0; k < inputs; k += kInputs, x += kInputs * ldx, out += kPanelColumns) {
      const uint16_t* second = k + 1 < inputs ? x + ldx : nullptr;
      for (int64_t n = 0; n < filled; n += kLanes) {
        S::store(out + n / kPanelColumns * panel_stride + n % kPanelColumns, pairs_at(x, second, n, columns));
      }
    }
  }

  static void pack_turned(const float* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t ldo) {
    const int64_t words = (inputs + kInputs - 1) / kInputs;
    for (int64_t n = 0; n < columns; n += kLanes) {
      const int64_t rows = columns - n < kLanes ? columns - n : kLanes;
      for (int64_t w = 0; w < words; w += kLanes) {
        F square[kLanes];
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; ++i) {
          square[i] = w + i < words ? words_at(x, ldx, inputs, columns, (w + i) * kInputs, n) : S::zero();
        }
        S::transpose_square(square);
        for (int64_t i = 0; i < rows; ++i) store_left<S>(out + (n + i) * ldo + w, square[i], words - w);
      }
    }
  }

  static void pack_rows(const float* x, int64_t ldx, int64_t rows, int64_t inputs, float* out, int64_t ldo) {
    const int64_t words = (inputs + kInputs - 1) / kInputs;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t w = 0; w < words; w += kLanes) {
        F parts[kInputs];
        for (int64_t i = 0; i < kInputs; ++i)
          parts[i] = load_left<S>(x + r * ldx + w * kInputs + i * kLanes, inputs - w * kInputs - i * kLanes);
        store_left<S>(out + r * ldo + w, P::pack(parts), words - w);
      }
    }
  }

  static void multiply(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t words, int64_t M, int64_t N, float* c, int64_t ldc,
                       bool adds) {
    for (int64_t w = 0; w < words; w += kChunk) {
      const int64_t count = words - w < kChunk ? words - w : kChunk;
      for (int64_t m = 0; m < M; m += kRows)
        rows<kRows>(a + m * lda + w, lda, b + w * ldb, ldb, count, M - m, N, c + m * ldc, ldc, adds || w > 0);
    }
  }

 private:
  // Words of columns n .. n + kLanes - 1 and inputs k .. k + kInputs - 1.
  static F words_at(const float* x, int64_t ldx, int64_t inputs, int64_t columns, int64_t k, int64_t n) {
    F parts[kInputs];
    for (int64_t i = 0; i < kInputs; ++i) parts[i] = k + i < inputs ? load_left<S>(x + (k + i) * ldx + n, columns - n) : S::zero();
    return P::combine(parts);
  }

  // The words of columns n .. n + kLanes - 1 of two rows, the second perhaps of zeros; zeros from `columns` on.
  static F pairs_at(const uint16_t* first, const uint16_t* second, int64_t n, int64_t columns) {
    if (second != nullptr && n + kLanes <= columns) return S::as_float(S::interleave(first + n, second + n));
    uint16_t rest[2][kLanes] = {};
    for (int64_t i = 0; n + i < columns && i < kLanes; ++i) {
      rest[0][i] = first[n + i];
      if (second != nullptr) rest[1][i] = second[n + i];
    }
    return S::as_float(S::interleave(rest[0], rest[1]));
  }

  // One tile of at most R rows with the columns of the panel.
  template <int R>
  static void rows(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t words, int64_t M, int64_t N, float* c, int64_t ldc,
                   bool adds) {
    if constexpr (R > 1) {
      if (M < R) return rows<R - 1>(a, lda, b, ldb, words, M, N, c, ldc, adds);
    }
    for (int64_t n = 0; n < N; n += kVectors * kLanes) {
      F sums[R][kVectors];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int i = 0; i < kVectors; ++i) sums[r][i] = S::zero();
      }
      multiply_tile<S, P, R, kVectors, false>(a, lda, b + n, ldb, 0, words, nullptr, sums);
      for (int r = 0; r < R; ++r) {
        for (int i = 0; i < kVectors; ++i) add(c + r * ldc + n + i * kLanes, sums[r][i], N - n - i * kLanes, adds);
      }
    }
  }
  static void add(float* p, F sum, int64_t count, bool adds) {
    if (count <= 0) return;
    store_left<S>(p, adds ? S::add(load_left<S>(p, count), sum) : sum, count);
  }
};

}  // namespace atelier::kernels
