// How attention forms its products: what a word of its panels holds, and what one step of a sum does.
//
// A word is 32 bits. Two matrices are multiplied as c[r, :] += a[r, step] b[step, :], one word of `a` with a vector of words of `b`.
// The sum of an element is one chain over the steps, in ascending order, in tiles of any shape.
#pragma once

#include <cstdint>

#include "atelier/kernels/simd/intrinsics.h"
#include "atelier/kernels/simd/kv_rows.h"

namespace atelier::kernels {

// Words are float32; a step is one fused multiply-add.
template <class S>
struct ProductsF32 {
  using F = typename S::F;
  static constexpr int64_t kInputsPerStep = 1;
  using RowsF16 = KvRowsF16<S>;
  static constexpr float kUnitF16 = 1;

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
  using RowsF16 = KvRowsHalves<S>;
  static constexpr float kUnitF16 = 0x1p112f;  // times a word of float16 inputs is their value

  static F step(F sum, F a, F b) { return S::dot_bf16(sum, S::bits(a), S::bits(b)); }
  static F pack(const F* inputs) { return S::as_float(S::round_bf16(inputs[0], inputs[1])); }
  static F combine(const F* inputs) { return S::as_float(S::interleave_u16(S::round_bf16(inputs[0], inputs[1]))); }
  static F pack(const typename S::H* inputs) { return S::as_float(S::shorten_f16(inputs[0], inputs[1])); }
  static F combine(const typename S::H* inputs) { return S::as_float(S::interleave_u16(S::shorten_f16(inputs[0], inputs[1]))); }
};

// Memory that will be read next, asked for little by little while other things are computed: a core waits for few cache lines at a time,
// and computes nothing if it asks for all at once.
template <class S>
class Ahead {
 public:
  Ahead() = default;
  // `lines` are asked for per step.
  Ahead(const uint8_t* begin, int64_t bytes, int64_t lines) : at_(begin), end_(begin + bytes), lines_(lines) {}

  void step() {
    for (int64_t i = 0; i < lines_ && at_ < end_; ++i, at_ += kCacheLine) S::prefetch_l2(at_);
  }

 private:
  static constexpr int64_t kCacheLine = 64;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  int64_t lines_ = 0;
};

// c[r, n] of R rows and N vectors: sums over steps [begin, end). `masks`, if kIsMasked, is a word per step that is applied to b: it
// takes away the inputs of a step that do not count, whatever they are.
// `ahead` takes one step for each of them.
template <class S, class P, int R, int N, bool kIsMasked, class Next>
inline void multiply_tile(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t begin, int64_t end, const int32_t* masks,
                          Next& ahead, typename S::F (&c)[R][N]) {
  using F = typename S::F;
  for (int64_t k = begin; k < end; ++k) {
    ahead.step();
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

// The same where nothing is read next that the processor would not foresee.
template <class S, class P, int R, int N, bool kIsMasked>
inline void multiply_tile(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t begin, int64_t end, const int32_t* masks,
                          typename S::F (&c)[R][N]) {
  constexpr struct {
    void step() const {}
  } kNothing;
  multiply_tile<S, P, R, N, kIsMasked>(a, lda, b, ldb, begin, end, masks, kNothing, c);
}

}  // namespace atelier::kernels
