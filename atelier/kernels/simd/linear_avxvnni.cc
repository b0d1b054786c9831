// Integer products with AVX-VNNI; the rest of that rung is AVX2's.
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/peak.h"
#include "atelier/kernels/simd/simd_avx2.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avxvnni) {

  struct Rung;

  // With the dot product of four bytes, exact in int32.
  struct Simd : Simd256<Rung> {
    template <int kMax, int kZero>
    struct Dot {
      I sum;
      static I start(I sum_x) { return _mm256_mullo_epi32(sum_x, _mm256_set1_epi32(-kZero)); }
      void step(int, I w, I x) { sum = _mm256_dpbusd_avx_epi32(sum, w, x); }
      I value(int) { return sum; }
    };
  };

  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) { LinearKernels<Simd>::linear_int8(x, block, scratch); }
  int64_t peak_int8(int64_t rounds, float* memory) { return PeakKernels<Simd>::int8(rounds, memory); }

}  // namespace atelier::kernels::ATELIER_ISA(avxvnni)
