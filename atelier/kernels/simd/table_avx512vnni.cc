#include "atelier/kernels/simd/simd_avx512.h"
#include "atelier/kernels/simd/table.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512vnni) {

  struct Rung;
  const KernelTable kTable = make_table<Simd512Vnni<Rung>>();

}  // namespace atelier::kernels::ATELIER_ISA(avx512vnni)
