// The compiler's intrinsics, and the name of the namespace that code of one ISA lives in.
//
// Tests compile the AVX-512 files a second time on SIMDe's emulation (emulated_intrinsics.h), so that a machine without AVX-512 checks
// the same source. The emulated copy needs names of its own: both copies are linked into kernels_test.
#pragma once

#ifdef ATELIER_EMULATE_ISA
#include "atelier/kernels/simd/emulated_intrinsics.h"
#define ATELIER_ISA(name) name##_emulated
#else
#include <immintrin.h>
#define ATELIER_ISA(name) name
#endif
