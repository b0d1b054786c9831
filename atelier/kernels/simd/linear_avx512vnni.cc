// Integer products with AVX-512 VNNI; the rest of that rung is AVX-512's.
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/peak.h"
#include "atelier/kernels/simd/simd_avx512.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512vnni) {

  struct Rung;

  // With the dot product of four bytes, exact in int32.
  struct Simd : Simd512<Rung> {
    template <int kMax, int kZero>
    struct Dot {
      I sum;
      static I start(I sum_x) { return _mm512_mullo_epi32(sum_x, _mm512_set1_epi32(-kZero)); }
      void step(int, I w, I x) { sum = _mm512_dpbusd_epi32(sum, w, x); }
      I value(int) { return sum; }
    };
  };

  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) { LinearKernels<Simd>::linear_int8(x, block, scratch); }
  int64_t peak_int8(int64_t rounds, float* memory) { return PeakKernels<Simd>::int8(rounds, memory); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512vnni)
