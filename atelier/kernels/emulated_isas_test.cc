// The rungs above AVX2, compiled once more on SIMDe's emulation of their instructions, for machines that lack them. The other tests of
// this room run on these tables as on the native ones. What avx512_vnni adds is in the table of avx512_bf16.
#include "atelier/kernels/test_tables.h"

#if __has_include(<simde/x86/avx512.h>)
#pragma GCC diagnostic ignored "-Wpedantic"  // SIMDe's headers
#define ATELIER_EMULATE_ISA
#include "atelier/kernels/simd/table_avx512.cc"
#include "atelier/kernels/simd/table_avx512bf16.cc"
#include "atelier/kernels/simd/table_avxvnni.cc"
#endif

namespace atelier::kernels {

std::vector<NamedTable> emulated_tables() {
#ifdef ATELIER_EMULATE_ISA
  return {{"avx_vnni_emulated", &avxvnni_emulated::kTable},
          {"avx512_emulated", &avx512_emulated::kTable},
          {"avx512_bf16_emulated", &avx512bf16_emulated::kTable}};
#else
  return {};
#endif
}

}  // namespace atelier::kernels
