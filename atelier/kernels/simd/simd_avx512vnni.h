// The dot product of four bytes, of AVX-512 VNNI: exact in int32.
#pragma once

#include "atelier/kernels/simd/simd_avx512.h"

namespace atelier::kernels {

// What a vector type names Dot: one sum of a group.
template <class Rung, int kZero>
struct DotOfFourBytes {
  using I = __m512i;
  I sum;
  static I start(I sum_x) { return _mm512_mullo_epi32(sum_x, _mm512_set1_epi32(-kZero)); }
  void step(int, I w, I x) { sum = _mm512_dpbusd_epi32(sum, w, x); }
  I value(int) { return sum; }
};

}  // namespace atelier::kernels
