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
  static const KernelTable avx_vnni = avxvnni_emulated::over(avx512_emulated::kTable);
  static const KernelTable avx512_bf16 = avx512bf16_emulated::over(avx512vnni_emulated::over(avx512_emulated::kTable));
  static const KernelTable avx512_amx = avx512amx_emulated::over(avx512_bf16);
  return {{"avx_vnni_emulated", &avx_vnni},
          {"avx512_emulated", &avx512_emulated::kTable},
          {"avx512_bf16_emulated", &avx512_bf16},
          {"avx512_amx_emulated", &avx512_amx}};
#else
  return {};
#endif
}

}  // namespace atelier::kernels
