// Integer products with AVX-512 VNNI; the rest of that rung is AVX-512's.
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/peak.h"
#include "atelier/kernels/simd/simd_avx512vnni.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512vnni) {

  struct Rung;

  struct Simd : Simd512<Rung> {
    template <int kMax, int kZero>
    using Dot = DotOfFourBytes<Rung, kZero>;
  };

  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) { LinearKernels<Simd>::linear_int8(x, block, scratch); }
  int64_t peak_int8(int64_t rounds, float* memory) { return PeakKernels<Simd>::int8(rounds, memory); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512vnni)
