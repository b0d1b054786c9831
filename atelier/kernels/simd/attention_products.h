// How attention forms its products: what a word of its panels holds, and what one step of a sum does.
//
// A word is 32 bits. Two matrices are multiplied as c[r, :] += a[r, step] b[step, :], one word of `a` with a vector of words of `b`.
// The sum of an element is one chain over the steps, in ascending order, in tiles of any shape.
#pragma once

#include <cstdint>

#include "atelier/kernels/simd/intrinsics.h"

namespace atelier::kernels {

// The floats at p, of which `left` are there, with zeros behind them. `left` may be more than a vector holds, or nothing.
template <class S>
inline typename S::F load_left(const float* p, int64_t left) {
  return left >= S::kLanes ? S::load(p) : left > 0 ? S::load_partial(p, static_cast<int>(left)) : S::zero();
}
// The first `left`, at least one, of a vector.
template <class S>
inline void store_left(float* p, typename S::F value, int64_t left) {
  left >= S::kLanes ? S::store(p, value) : S::store_partial(p, value, static_cast<int>(left));
}

// Some columns of rows, to where rows are another stride apart.
template <class S>
inline void copy_columns(const float* from, int64_t ld_from, float* to, int64_t ld_to, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < columns; i += S::kLanes) {
      store_left<S>(to + r * ld_to + i, load_left<S>(from + r * ld_from + i, columns - i), columns - i);
    }
  }
}

// Words are float32; a step is one fused multiply-add.
template <class S>
struct ProductsF32 {
  using F = typename S::F;
  static constexpr int64_t kInputsPerStep = 1;
  static constexpr bool kHasScales = false;
  static constexpr float kUnitF16 = 1;

  static F step(F sum, F a, F b) { return S::fma(a, b, sum); }
  // Words of kInputsPerStep vectors of consecutive inputs.
  static F pack(const F* inputs) { return inputs[0]; }
  // Words of which inputs[i] holds input i.
  static F combine(const F* inputs) { return inputs[0]; }
  // Words of pairs of inputs that lie side by side.
  static void load_f16(const uint16_t* p, F* words) { S::load_pairs_f16(p, words); }
  static void load_i8(const uint8_t* p, F* words) { S::load_pairs_i8(p, words); }
};

// A word is two bfloat16 inputs, the first in its low half; a step adds both products as the instruction does.
template <class S>
struct ProductsBf16 {
  using F = typename S::F;
  static constexpr int64_t kInputsPerStep = 2;
  static constexpr bool kHasScales = false;
  static constexpr float kUnitF16 = 0x1p112f;  // times a word of float16 inputs is their value

  static F step(F sum, F a, F b) { return S::dot_bf16(sum, S::bits(a), S::bits(b)); }
  static F pack(const F* inputs) { return S::as_float(S::round_bf16(inputs[0], inputs[1])); }
  static F combine(const F* inputs) { return S::as_float(S::interleave_u16(S::round_bf16(inputs[0], inputs[1]))); }
  static void load_f16(const uint16_t* p, F* words) { words[0] = S::as_float(S::shorten_f16(S::load_bytes(p))); }
};

// A word is two int16 inputs, and sums are exact in int32: up to 256 products of 15 bits and 7. Scales of both sides meet the sum.
template <class S>
struct ProductsInt16 {
  using F = typename S::F;
  static constexpr int64_t kInputsPerStep = 2;
  static constexpr bool kHasScales = true;
  static constexpr float kUnitF16 = 1;
  static constexpr float kLargest = 32767;

  static F step(F sum, F a, F b) { return S::as_float(S::dot_i16(S::bits(sum), S::bits(a), S::bits(b))); }
  static F pack(const F* inputs) { return S::as_float(S::round_i16(inputs[0], inputs[1])); }
  static void load_i8(const uint8_t* p, F* words) { words[0] = S::as_float(S::load_i8_as_i16(p)); }
  static F value(F sum) { return S::from_int(S::bits(sum)); }
};

// Memory that will be read next, asked for little by little while other things are computed: a core waits for few cache lines at a time,
// and computes nothing if it asks for all at once.
template <class S>
class Ahead {
 public:
  Ahead() = default;
  Ahead(const uint8_t* begin, int64_t bytes, int64_t bytes_per_step)
      : at_(begin), step_end_(begin), end_(begin + bytes), bytes_per_step_(bytes_per_step) {}

  void step() {
    if (at_ >= end_) return;
    step_end_ += bytes_per_step_;
    for (; at_ < step_end_; at_ += kCacheLine) S::prefetch_l2(at_);
  }

 private:
  static constexpr int64_t kCacheLine = 64;
  const uint8_t* at_ = nullptr;
  const uint8_t* step_end_ = nullptr;
  const uint8_t* end_ = nullptr;
  int64_t bytes_per_step_ = 0;
};

// c[r, n] of R rows and N vectors: sums over steps [begin, end). `masks`, if kIsMasked, is a word per step that is applied to b: it
// takes away the inputs of a step that do not count, whatever they are.
// `ahead` takes one step for each of them.
template <class S, class P, int R, int N, bool kIsMasked, class Next>
inline void multiply_tile(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t begin, int64_t end, const int32_t* masks,
                          Next& ahead, typename S::F (&c)[R][N]) {
  using F = typename S::F;
  const auto load_b = [&](int64_t k, int n) {
    F words = S::load(b + k * ldb + n * S::kLanes);
    if constexpr (kIsMasked) words = S::as_float(S::bit_and(S::bits(words), S::set1_int(masks[k])));
    ATELIER_KEEP_IN_REGISTER(words);  // else GCC loads it again for every row
    return words;
  };
  // The smaller side of the tile waits in registers: 3 x 4 sums, 3 words and a vector are all that AVX2 has.
  for (int64_t k = begin; k < end; ++k) {
    ahead.step();
    if constexpr (R < N) {
      F as[R];
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) as[r] = S::set1(a[r * lda + k]);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) {
        const F bs = load_b(k, n);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) c[r][n] = P::step(c[r][n], as[r], bs);
      }
    } else {
      F bs[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) bs[n] = load_b(k, n);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const F as = S::set1(a[r * lda + k]);
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) c[r][n] = P::step(c[r][n], as, bs[n]);
      }
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

// c[r, n] += a[r, :] b[:, n] over pairs [begin, end) of inputs, where load(pair, n, words) brings the words of b: for few rows, so that b
// need not be put into a panel first.
template <class S, class P, int R, int N, class Load, class Next>
inline void multiply_pairs(const float* a, int64_t lda, int64_t begin, int64_t end, const Load& load, Next& ahead,
                           typename S::F (&c)[R][N]) {
  using F = typename S::F;
  constexpr int kWords = 2 / P::kInputsPerStep;
  for (int64_t pair = begin; pair < end; ++pair) {
    ahead.step();
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      F words[kWords];
      load(pair, n, words);
#pragma GCC unroll 2
      for (int i = 0; i < kWords; ++i) {
        ATELIER_KEEP_IN_REGISTER(words[i]);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) c[r][n] = P::step(c[r][n], S::set1(a[r * lda + pair * kWords + i]), words[i]);
      }
    }
  }
}

}  // namespace atelier::kernels
