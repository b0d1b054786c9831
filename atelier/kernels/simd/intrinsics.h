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

#include <utility>

#define ATELIER_INLINE_LAMBDA __attribute__((always_inline))

namespace atelier::kernels {

// Calls body(0), ..., body(kCount - 1) with constants for arguments, written out whatever the optimiser thinks of it.
template <int kCount, class Body>
__attribute__((always_inline)) inline void for_each_constant(const Body& body) {
  [&body]<int... kIndices>(std::integer_sequence<int, kIndices...>) ATELIER_INLINE_LAMBDA {
    (body(std::integral_constant<int, kIndices>()), ...);
  }
  (std::make_integer_sequence<int, kCount>());
}

}  // namespace atelier::kernels
