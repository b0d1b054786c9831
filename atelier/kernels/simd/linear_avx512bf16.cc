// Products of bfloat16 pairs with AVX-512 BF16; the rest of that rung is AVX-512 VNNI's.
#include "atelier/kernels/simd/gemm_bf16.h"
#include "atelier/kernels/simd/peak.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512bf16) {

  struct Rung;

  using Simd = Simd512Bf16<Rung>;

  void linear_bf16(const Bf16Rows& x, const OutputBlock& block, void* scratch) { GemmBf16<Simd>::linear(x, block, scratch); }
  void round_rows(const FloatRows& x, uint16_t* out, int64_t width, int64_t row_begin, int64_t row_end) {
    GemmBf16<Simd>::round_rows(x, out, width, row_begin, row_end);
  }
  int64_t peak_bf16(int64_t rounds, float* memory) { return peak_bf16_products<Simd>(rounds, memory); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512bf16)
