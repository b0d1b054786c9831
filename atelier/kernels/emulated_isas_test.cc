// The rungs above AVX2, compiled once more on SIMDe's emulation of their instructions, for machines that lack them. The other tests of
// this room run on these tables as on the native ones.
// What a rung leaves to the one below is AVX-512's here.
#include "tests/support/kernel_tables.h"

#if __has_include(<simde/x86/avx512.h>)
#pragma GCC diagnostic ignored "-Wpedantic"  // SIMDe's headers
#define ATELIER_EMULATE_ISA
#include "atelier/kernels/simd/attention_avx512amx.cc"
#include "atelier/kernels/simd/attention_avx512bf16.cc"
#include "atelier/kernels/simd/linear_avx512amx.cc"
#include "atelier/kernels/simd/linear_avx512bf16.cc"
#include "atelier/kernels/simd/linear_avx512vnni.cc"
#include "atelier/kernels/simd/linear_avxvnni.cc"
#include "atelier/kernels/simd/table_avx512.cc"
#include "atelier/kernels/simd/training_avx512amx.cc"
#include "atelier/kernels/simd/training_avx512bf16.cc"
#endif

namespace atelier::kernels {

std::vector<NamedTable> emulated_tables() {
#ifdef ATELIER_EMULATE_ISA
  static const KernelTable avx_vnni = [] {
    KernelTable table = avx512_emulated::kTable;
    table.linear_int8 = avxvnni_emulated::linear_int8;
    table.peak_int8 = avxvnni_emulated::peak_int8;
    return table;
  }();
  static const KernelTable avx512_bf16 = [] {
    KernelTable table = avx512_emulated::kTable;
    table.linear_int8 = avx512vnni_emulated::linear_int8;
    table.peak_int8 = avx512vnni_emulated::peak_int8;
    table.linear_bf16 = avx512bf16_emulated::linear_bf16;
    table.attention_bf16 = avx512bf16_emulated::attention_bf16;
    table.round_rows = avx512bf16_emulated::round_rows;
    table.peak_bf16 = avx512bf16_emulated::peak_bf16;
    table.matmul_bf16 = avx512bf16_emulated::kMatmul;
    table.attention_backward_bf16 = avx512bf16_emulated::attention_backward_bf16;
    return table;
  }();
  static const KernelTable avx512_amx = [] {
    KernelTable table = avx512_bf16;
    table.linear_int8 = avx512amx_emulated::linear_int8;
    table.attention_bf16 = avx512amx_emulated::attention_bf16;
    table.linear_bf16 = avx512amx_emulated::linear_bf16;
    table.peak_int8 = avx512amx_emulated::peak_int8;
    table.peak_bf16 = avx512amx_emulated::peak_bf16;
    table.matmul_bf16 = avx512amx_emulated::kMatmul;
    return table;
  }();
  return {{"avx_vnni_emulated", &avx_vnni},
          {"avx512_emulated", &avx512_emulated::kTable},
          {"avx512_bf16_emulated", &avx512_bf16},
          {"avx512_amx_emulated", &avx512_amx}};
#else
  return {};
#endif
}

}  // namespace atelier::kernels
