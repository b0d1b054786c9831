// Attention with products of tiles where the cache holds float16; the rest is AVX-512 BF16's.
#include "atelier/kernels/simd/attention.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512amx) {

  struct AttentionRung;
  struct AttentionSimd : Simd512Bf16<AttentionRung> {
    static constexpr bool kHasTiles = true;
  };

  void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
    kernels::attention_bf16<AttentionSimd>(shape, block, span, sums, scratch);
  }

}  // namespace atelier::kernels::ATELIER_ISA(avx512amx)
