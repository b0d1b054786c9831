#include "atelier/kernels/simd/simd_avx2.h"
#include "atelier/kernels/simd/table.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx2) {

  struct Rung;
  const KernelTable kTable = make_table<Simd256<Rung>>();

}  // namespace atelier::kernels::ATELIER_ISA(avx2)
