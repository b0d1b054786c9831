#include "atelier/kernels/dispatch.h"

#include "atelier/base/error.h"
#include "atelier/kernels/scalar/scalar.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels {
namespace {

// A rung that differs from the one below in a function or two.
KernelTable with_int8(KernelTable table, decltype(KernelTable::linear_int8) linear_int8, decltype(KernelTable::peak_int8) peak_int8) {
  table.linear_int8 = linear_int8;
  table.peak_int8 = peak_int8;
  return table;
}
KernelTable with_bf16(KernelTable table) {
  table.linear_bf16 = avx512bf16::linear_bf16;
  table.attention_bf16 = avx512bf16::attention_bf16;
  table.round_rows = avx512bf16::round_rows;
  table.peak_bf16 = avx512bf16::peak_bf16;
  table.matmul_bf16 = avx512bf16::kMatmul;
  table.attention_backward_bf16 = avx512bf16::attention_backward_bf16;
  return table;
}
KernelTable with_tiles(KernelTable table) {
  table.linear_bf16 = avx512amx::linear_bf16;
  table.linear_int8 = avx512amx::linear_int8;
  table.attention_bf16 = avx512amx::attention_bf16;
  table.peak_bf16 = avx512amx::peak_bf16;
  table.peak_int8 = avx512amx::peak_int8;
  table.matmul_bf16 = avx512amx::kMatmul;
  return table;
}

}  // namespace

const KernelTable& kernel_table(Isa isa) {
  static const KernelTable avx_vnni = with_int8(avx2::kTable, avxvnni::linear_int8, avxvnni::peak_int8);
  static const KernelTable avx512_vnni = with_int8(avx512::kTable, avx512vnni::linear_int8, avx512vnni::peak_int8);
  static const KernelTable avx512_bf16 = with_bf16(avx512_vnni);
  static const KernelTable avx512_amx = with_tiles(avx512_bf16);
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
