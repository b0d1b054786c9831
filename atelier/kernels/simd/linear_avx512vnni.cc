// Integer products with AVX-512 VNNI; the rest of that rung is AVX-512's.
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/simd_avx512.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512vnni) {

  struct Rung;

  // With the dot product of four bytes, exact in int32.
  struct Simd : Simd512<Rung> {
    template <int kMax>
    struct Dot {
      I sum = _mm512_setzero_si512();
      void step(int, I w, I x) { sum = _mm512_dpbusd_epi32(sum, w, x); }
      I value(int) { return sum; }
    };
    struct SignedDot {
      I sum = _mm512_setzero_si512();
      void step(int, I w, I x) { sum = _mm512_dpbusd_epi32(sum, _mm512_abs_epi8(w), with_sign_of_bytes(x, w)); }
      I value(int) { return sum; }
    };
  };

  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) { LinearKernels<Simd>::linear_int8(x, block, scratch); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512vnni)
