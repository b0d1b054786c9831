// The compiler's intrinsics, and the name of the namespace that code of one ISA lives in.
//
// Tests compile the files of the higher rungs a second time on SIMDe's emulation (emulated_intrinsics.h), so that a machine without
// AVX-512 checks the same source. The emulated copy needs names of its own: both copies are linked into kernels_test.
//
// ATELIER_KEEP_IN_REGISTER(a) fixes the place of a value in the program. Left alone, GCC 12 moves all additions of an unrolled loop to
// its end and spills what they wait for: 1.4 times the time of an integer tile.
#pragma once

#ifdef ATELIER_EMULATE_ISA
#include "atelier/kernels/simd/emulated_intrinsics.h"
#define ATELIER_ISA(name) name##_emulated
#define ATELIER_KEEP_IN_REGISTER(a) static_cast<void>(a)
#else
#include <immintrin.h>
#define ATELIER_ISA(name) name
#define ATELIER_KEEP_IN_REGISTER(a) __asm__("" : "+v"(a))
#endif
