// AVX-512 with BF16 as a vector type: simd_avx512.h and products of pairs of bfloat16.
#pragma once

#include "atelier/kernels/simd/simd_avx512.h"

namespace atelier::kernels {

template <class Rung>
struct Simd512Bf16 : Simd512<Rung> {
  using F = __m512;
  using I = __m512i;

  // Rounded to nearest even: the values of `low`, then those of `high`.
  static I round_bf16(F low, F high) {
    const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
    I bits;
    __builtin_memcpy(&bits, &both, sizeof bits);
    return bits;
  }
  // Float16 shortened to bfloat16 times 2^-112: the three digits too many are rounded off, to the nearest and away from zero in the
  // middle, and the exponent moves into its place without its bias. bfloat16 products take what is below the normal range (here 2^-14) for
  // zero; infinity becomes 2^16 and NaN a number of that size.
  static I shorten_f16(I a) {
    const I moved = _mm512_srai_epi16(_mm512_add_epi16(a, _mm512_set1_epi16(4)), 3);
    return _mm512_and_si512(moved, _mm512_set1_epi16(static_cast<int16_t>(0x8fff)));
  }
  // Int16: 32 bytes widened; the whole numbers of `low` and `high`, to nearest even, in [-32767, 32767].
  static I load_i8_as_i16(const uint8_t* p) { return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  static I round_i16(F low, F high) {
    const __m256i first = _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(low)), second = _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(high));
    return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
  }
  // Every lane: sum + a0 b0 + a1 b1.
  static I dot_i16(I sum, I a, I b) { return _mm512_dpwssd_epi32(sum, a, b); }
  static F dot_bf16(F sum, I a, I b) {
    __m512bh pairs_a, pairs_b;
    __builtin_memcpy(&pairs_a, &a, sizeof a);
    __builtin_memcpy(&pairs_b, &b, sizeof b);
    return _mm512_dpbf16_ps(sum, pairs_a, pairs_b);
  }
  static I load_partial_u16(const uint16_t* p, int count) { return _mm512_maskz_loadu_epi16((1u << count) - 1, p); }
  // Words 0, 16, 1, 17, ...: those of the first half become the low words of the lanes.
  static I interleave_u16(I a) {
    const I low = _mm512_setr_epi32(0x00100000, 0x00110001, 0x00120002, 0x00130003, 0x00140004, 0x00150005, 0x00160006, 0x00170007,
                                    0x00180008, 0x00190009, 0x001a000a, 0x001b000b, 0x001c000c, 0x001d000d, 0x001e000e, 0x001f000f);
    return _mm512_permutexvar_epi16(low, a);
  }
  // Sixteen words at `low` as the low halves of the lanes, those at `high` as the high ones.
  static I interleave(const uint16_t* low, const uint16_t* high) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low));
    return interleave_u16(_mm512_inserti64x4(_mm512_castsi256_si512(first), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high)), 1));
  }
};

}  // namespace atelier::kernels
