// The tables of the SIMD rungs; each is defined in the one file that is compiled for its ISA.
#pragma once

#include "atelier/kernels/simd/intrinsics.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

namespace ATELIER_ISA(avx2) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avxvnni) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avx512) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avx512vnni) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avx512bf16) {
  extern const KernelTable kTable;
}

}  // namespace atelier::kernels
