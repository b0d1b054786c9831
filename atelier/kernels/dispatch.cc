#include "atelier/kernels/dispatch.h"

#include "atelier/base/error.h"
#include "atelier/kernels/scalar/scalar.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels {
const KernelTable& kernel_table(Isa isa) {
  static const KernelTable avx_vnni = avxvnni::over(avx2::kTable);
  static const KernelTable avx512_vnni = avx512vnni::over(avx512::kTable);
  static const KernelTable avx512_bf16 = avx512bf16::over(avx512_vnni);
  static const KernelTable avx512_amx = avx512amx::over(avx512_bf16);
  switch (isa) {
    case Isa::kScalar:
      return scalar::kTable;
    case Isa::kAvx2:
      return avx2::kTable;
    case Isa::kAvxVnni:
      return avx_vnni;
    case Isa::kAvx512:
      return avx512::kTable;
    case Isa::kAvx512Vnni:
      return avx512_vnni;
    case Isa::kAvx512Bf16:
      return avx512_bf16;
    case Isa::kAvx512Amx:
      return avx512_amx;
  }
  throw InternalError(std::string("isa ") + isa_name(isa) + " has no kernels");
}

const KernelTable& active() { return kernel_table(current_isa()); }

}  // namespace atelier::kernels
