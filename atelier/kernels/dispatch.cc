#include "atelier/kernels/dispatch.h"

#include "atelier/base/error.h"
#include "atelier/kernels/scalar/scalar.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels {

const KernelTable& kernel_table(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return scalar::kTable;
    case Isa::kAvx2:
      return avx2::kTable;
    case Isa::kAvxVnni:
      return avxvnni::kTable;
    case Isa::kAvx512:
      return avx512::kTable;
    case Isa::kAvx512Vnni:
      return avx512vnni::kTable;
    case Isa::kAvx512Bf16:
      return avx512bf16::kTable;
  }
  throw InternalError(std::string("isa ") + isa_name(isa) + " has no kernels");
}

const KernelTable& active() { return kernel_table(current_isa()); }

}  // namespace atelier::kernels
