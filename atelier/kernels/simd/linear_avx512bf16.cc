// Products of bfloat16 pairs with AVX-512 BF16; the rest of that rung is AVX-512 VNNI's.
#include "atelier/kernels/simd/gemm_bf16.h"
#include "atelier/kernels/simd/simd_avx512.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512bf16) {

  struct Rung;

  struct Simd : Simd512<Rung> {
    static I round_bf16(F low, F high) {
      const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
      I bits;
      __builtin_memcpy(&bits, &both, sizeof bits);
      return bits;
    }
    static F dot_bf16(F sum, I a, I b) {
      __m512bh pairs_a, pairs_b;
      __builtin_memcpy(&pairs_a, &a, sizeof a);
      __builtin_memcpy(&pairs_b, &b, sizeof b);
      return _mm512_dpbf16_ps(sum, pairs_a, pairs_b);
    }
    static I load_partial_u16(const uint16_t* p, int count) { return _mm512_maskz_loadu_epi16((1u << count) - 1, p); }
  };

  void linear_bf16(const FloatRows& x, const OutputBlock& block, void* scratch) { GemmBf16<Simd>::linear(x, block, scratch); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512bf16)
