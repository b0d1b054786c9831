// Attention whose products are of pairs of bfloat16, or of int16 for bytes.
#include "atelier/kernels/simd/attention.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512bf16) {

  struct Rung;
  using Simd = Simd512Bf16<Rung>;

  void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
    kernels::attention_bf16<Simd>(shape, block, span, sums, scratch);
  }

}  // namespace atelier::kernels::ATELIER_ISA(avx512bf16)
