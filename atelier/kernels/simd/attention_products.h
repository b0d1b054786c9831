// How attention forms its products: what a word of its panels holds, and what one step of a sum does.
//
// A word is 32 bits. Two matrices are multiplied as c[r, :] += a[r, step] b[step, :], one word of `a` with a vector of words of `b`.
// The sum of an element is one chain over the steps, in ascending order, in tiles of any shape.
#pragma once

#include <cstdint>

#include "atelier/kernels/simd/intrinsics.h"

namespace atelier::kernels {

// Words are float32; a step is one fused multiply-add.
template <class S>
struct ProductsF32 {
  using F = typename S::F;
  static constexpr int64_t kInputsPerStep = 1;

  static F step(F sum, F a, F b) { return S::fma(a, b, sum); }
  // Words of kInputsPerStep vectors of consecutive inputs.
  static F pack(const F* inputs) { return inputs[0]; }
  // Words of which inputs[i] holds input i.
  static F combine(const F* inputs) { return inputs[0]; }
};

// A word is two bfloat16 inputs, the first in its low half; a step adds both products as the instruction does.
template <class S>
struct ProductsBf16 {
  using F = typename S::F;
  static constexpr int64_t kInputsPerStep = 2;

  static F step(F sum, F a, F b) { return S::dot_bf16(sum, S::bits(a), S::bits(b)); }
  static F pack(const F* inputs) { return S::as_float(S::round_bf16(inputs[0], inputs[1])); }
  static F combine(const F* inputs) { return S::as_float(S::interleave_u16(S::round_bf16(inputs[0], inputs[1]))); }
};

// c[r, n] of R rows and N vectors: sums over steps [begin, end). `masks`, if kIsMasked, is a word per step that is applied to b: it
// takes away the inputs of a step that do not count, whatever they are.
template <class S, class P, int R, int N, bool kIsMasked>
inline void multiply_tile(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t begin, int64_t end, const int32_t* masks,
                          typename S::F (&c)[R][N]) {
  using F = typename S::F;
  for (int64_t k = begin; k < end; ++k) {
    F bs[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      bs[n] = S::load(b + k * ldb + n * S::kLanes);
      if constexpr (kIsMasked) bs[n] = S::as_float(S::bit_and(S::bits(bs[n]), S::set1_int(masks[k])));
      ATELIER_KEEP_IN_REGISTER(bs[n]);  // else GCC loads it again for every row
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const F as = S::set1(a[r * lda + k]);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) c[r][n] = P::step(c[r][n], as, bs[n]);
    }
  }
}

}  // namespace atelier::kernels
