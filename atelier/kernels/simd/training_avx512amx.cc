// Products of training as products of tiles.
#include "atelier/kernels/simd/matmul_tiles.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512amx) {

  struct TrainingRung;

  const MatmulKernels kMatmul = MatmulTiles<Simd512Bf16<TrainingRung>>::kernels();

}  // namespace atelier::kernels::ATELIER_ISA(avx512amx)
