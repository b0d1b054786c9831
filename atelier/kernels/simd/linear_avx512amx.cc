// Linear layers as products of tiles with AMX; the rest of that rung is AVX-512 BF16's.
#include "atelier/kernels/simd/gemm_bf16_tiles.h"
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/peak_tiles.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/simd_avx512vnni.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512amx) {

  struct Rung;

  // With the dot product of four bytes for the few rows that tiles are not made for.
  struct Simd : Simd512Bf16<Rung> {
    static constexpr bool kHasTiles = true;
    template <int kMax, int kZero>
    using Dot = DotOfFourBytes<Rung, kZero>;
  };

  void linear_bf16(const Bf16Rows& x, const OutputBlock& block, void* scratch) { GemmBf16Tiles<Simd>::linear(x, block, scratch); }
  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) { LinearKernels<Simd>::linear_int8(x, block, scratch); }
  int64_t peak_bf16(int64_t rounds, float* memory) { return PeakTiles::bf16(rounds, memory); }
  int64_t peak_int8(int64_t rounds, float* memory) { return PeakTiles::int8(rounds, memory); }

}  // namespace atelier::kernels::ATELIER_ISA(avx512amx)
