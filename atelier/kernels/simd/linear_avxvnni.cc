// Integer products with AVX-VNNI; the rest of that rung is AVX2's.
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/simd_avx2.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avxvnni) {

  struct Rung;

  // With the dot product of four bytes, exact in int32.
  struct Simd : Simd256<Rung> {
    template <int kMax>
    struct Dot {
      I sum = _mm256_setzero_si256();
      void step(int, I w, I x) { sum = _mm256_dpbusd_avx_epi32(sum, w, x); }
      I value(int) { return sum; }
    };
    struct SignedDot {
      I sum = _mm256_setzero_si256();
      void step(int, I w, I x) { sum = _mm256_dpbusd_avx_epi32(sum, _mm256_abs_epi8(w), _mm256_sign_epi8(x, w)); }
      I value(int) { return sum; }
    };
  };

  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) { LinearKernels<Simd>::linear_int8(x, block, scratch); }

}  // namespace atelier::kernels::ATELIER_ISA(avxvnni)
