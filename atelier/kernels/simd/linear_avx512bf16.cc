// Products of bfloat16 pairs with AVX-512 BF16; the rest of that rung is AVX-512 VNNI's.
#include "atelier/kernels/simd/gemm_bf16.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512bf16) {

  struct Rung;

  using Simd = Simd512Bf16<Rung>;

  void linear_bf16(const FloatRows& x, const OutputBlock& block, void* scratch) { GemmBf16<Simd>::linear(x, block, scratch); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512bf16)
