// AVX2 + FMA + F16C as a vector type that the templates of this folder are written on: eight 32-bit lanes.
//
// Every vector type has the same members. F holds floats, I holds int32 lanes or their bytes, M is the result of a comparison.
// "Rows" below are kLanes weight rows, one per lane; scatter16 is a transposition inside 128-bit parts, in which part p holds rows
// 4p .. 4p+3.
#pragma once

#include <cstdint>

#include "atelier/kernels/simd/intrinsics.h"

namespace atelier::kernels {

// `Rung` is an empty type that names the ISA: rungs that share this source must not share its compiled functions.
template <class Rung>
struct Simd256 {
  using F = __m256;
  using I = __m256i;
  using M = __m256;
  typedef uint16_t Unaligned16 __attribute__((aligned(1), may_alias));
  typedef uint32_t Unaligned32 __attribute__((aligned(1), may_alias));
  static constexpr int kLanes = 8;
  static constexpr int kTileRows = 3;       // of a float32 tile of kTileRows x 4 sums: 12 of the 16 registers
  static constexpr int kInt8Rows = 4;       // of an integer tile of kInt8Rows x 2 panels
  static constexpr bool kHasTiles = false;  // of simd/tiles.h

  // Memory. Partial loads fill with zeros and never touch what lies beyond `count` elements.
  static F load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, F a) { _mm256_storeu_ps(p, a); }
  static I lane_mask(int count) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
  static F load_partial(const float* p, int count) { return _mm256_maskload_ps(p, lane_mask(count)); }
  static void store_partial(float* p, F a, int count) { _mm256_maskstore_ps(p, lane_mask(count), a); }
  static F keep(F a, int count) { return _mm256_and_ps(a, _mm256_castsi256_ps(lane_mask(count))); }  // zeros beyond
  static I load_bytes(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static void store_bytes(void* p, I a) { _mm256_storeu_si256(static_cast<__m256i*>(p), a); }
  static void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
  static void prefetch_l2(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }
  static F load_f16(const uint16_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
  static F broadcast_f16(const void* p) { return _mm256_cvtph_ps(_mm_set1_epi16(static_cast<short>(*static_cast<const Unaligned16*>(p)))); }
  static F load_bf16(const uint16_t* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
  }
  static F load_u8(const uint8_t* p) { return from_int(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))); }
  static F load_i8(const uint8_t* p) { return from_int(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))); }
  // kLanes pairs of float16, or of int8: the first of every pair, then the second.
  static void load_pairs_f16(const uint16_t* p, F* parts) {
    const I grouped =
        _mm256_shuffle_epi8(load_bytes(p), _mm256_broadcastsi128_si256(_mm_setr_epi32(0x05040100, 0x0d0c0908, 0x07060302, 0x0f0e0b0a)));
    const I halves = _mm256_permute4x64_epi64(grouped, 0xd8);
    parts[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(halves));
    parts[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1));
  }
  static void load_pairs_i8(const uint8_t* p, F* parts) {
    const I words = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    parts[0] = from_int(shift_right_signed(shift_left(words, 16), 16));
    parts[1] = from_int(shift_right_signed(words, 16));
  }
  static void store_f16(uint16_t* p, F a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  // Int32 lanes in [-128, 127] as bytes.
  static void store_i8(int8_t* p, I a) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }

  // Float arithmetic.
  static F zero() { return _mm256_setzero_ps(); }
  static F set1(float a) { return _mm256_set1_ps(a); }
  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F sqrt(F a) { return _mm256_sqrt_ps(a); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }    // a * b + c
  static F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a * b
  static F min(F a, F b) { return _mm256_min_ps(a, b); }              // b where either is NaN
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F abs(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static F with_sign_of(F magnitude, F sign) { return _mm256_or_ps(magnitude, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign)); }
  static F round(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static M less(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static F select(M m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }
  static F pow2(I exponent) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23)); }
  // a * 2^n for whole n <= 127; 0 where n is below the exponents of floats.
  static F times_pow2(F a, F n) { return mul(a, pow2(to_int(max(set1(-127.0f), n)))); }

  // Across lanes. The order of a sum is fixed: pairs, pairs of pairs, then the two halves.
  static __m128 sum4(F a, F b, F c, F d) {
    const F quads = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(quads), _mm256_extractf128_ps(quads, 1));
  }
  // The sums of each of R rows of four vectors.
  using Quad = __m128;
  template <int R>
  static void sum_rows(const F (*rows)[4], Quad* out) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) out[r] = sum4(rows[r][0], rows[r][1], rows[r][2], rows[r][3]);
  }
  static Quad load_quad(const float* p) { return _mm_loadu_ps(p); }
  static void store_quad(float* p, Quad a) { _mm_storeu_ps(p, a); }
  static Quad add_quad(Quad a, Quad b) { return _mm_add_ps(a, b); }
  static float sum(F a) { return _mm_cvtss_f32(sum4(a, a, a, a)); }
  static double sum_as_double(F a) {
    const __m256d halves = _mm256_add_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)));
    const __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(halves), _mm256_extractf128_pd(halves, 1));
    return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
  }
  static float lane0(F a) { return _mm256_cvtss_f32(a); }
  static float largest(F a) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
  }
  static int32_t sum(I a) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
  }

  // Integers.
  static I zero_int() { return _mm256_setzero_si256(); }
  static I set1_int(int32_t a) { return _mm256_set1_epi32(a); }
  static I set1_byte(int8_t a) { return _mm256_set1_epi8(a); }
  static I to_int(F a) { return _mm256_cvtps_epi32(a); }  // to nearest even
  static F from_int(I a) { return _mm256_cvtepi32_ps(a); }
  static I bits(F a) { return _mm256_castps_si256(a); }
  static F as_float(I a) { return _mm256_castsi256_ps(a); }
  static I broadcast4(const int8_t* p) { return _mm256_set1_epi32(static_cast<int>(*reinterpret_cast<const Unaligned32*>(p))); }
  static I broadcast_int(const int32_t* p) { return _mm256_set1_epi32(*p); }
  static I sub_bytes(I a, I b) { return _mm256_sub_epi8(a, b); }
  static I add_int(I a, I b) { return _mm256_add_epi32(a, b); }
  static I max_int(I a, I b) { return _mm256_max_epi32(a, b); }
  static int32_t largest(I a) {
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
  }
  static I bit_and(I a, I b) { return _mm256_and_si256(a, b); }
  static I bit_or(I a, I b) { return _mm256_or_si256(a, b); }
  static I bit_xor(I a, I b) { return _mm256_xor_si256(a, b); }
  static I shift_left(I a, int bits) { return _mm256_slli_epi32(a, bits); }
  static I shift_right(I a, int bits) { return _mm256_srli_epi32(a, bits); }
  static I shift_right_signed(I a, int bits) { return _mm256_srai_epi32(a, bits); }
  // table[b] for every byte b in 0..15.
  static I lookup(const uint8_t* table, I index) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), index);
  }
  // table[b] of kLanes bytes in 0..15.
  static F lookup_f32(const float* table, const uint8_t* bytes) {
    const I index = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
    const F low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index),
            high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), index);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
  }
  // Byte i of every lane: 0xff where bit (first_bit + i) of that lane of `a` is set. first_bit is a multiple of 4.
  static I spread_bits(I a, int first_bit) {
    const I byte =
        _mm256_shuffle_epi8(a, _mm256_add_epi8(_mm256_set1_epi8(static_cast<char>(first_bit / 8)),
                                               _mm256_broadcastsi128_si256(_mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c))));
    const I mask = _mm256_set1_epi32(static_cast<int>(first_bit % 8 == 0 ? 0x08040201u : 0x80402010u));
    return _mm256_cmpeq_epi8(_mm256_and_si256(byte, mask), mask);
  }

  // in[j] holds bytes 4j .. 4j+3 of every row, in that row's lane: writes the 16 bytes of each row at dst + row * stride.
  static void scatter16(const I* in, uint8_t* dst, int64_t stride) {
    I v[4];
    transpose(in, v);
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + i * stride), _mm256_castsi256_si128(v[i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + (i + 4) * stride), _mm256_extracti128_si256(v[i], 1));
    }
  }
  // The kLanes x kLanes matrix whose rows are `m`.
  static void transpose_square(F* m) {
    F pairs[8], quads[8];
    for (int i = 0; i < 8; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(m[i], m[i + 1]);
      pairs[i + 1] = _mm256_unpackhi_ps(m[i], m[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
      quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
      quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
      quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
      m[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
      m[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
  }
  // The low 16 bits of every lane as an IEEE half.
  static F half_to_float(I a) {
    const I low = _mm256_and_si256(a, _mm256_set1_epi32(0xffff));
    return _mm256_cvtph_ps(_mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
  }

  // Products of bytes, summed by fours into int32 lanes: a running sum of (w - kZero) x for unsigned weights in [0, kMax] and activations
  // in [-127, 127]. start(sum of x) is what the sum begins with to take the zero off. As many 16-bit pair sums are added as cannot
  // overflow, then widened.
  template <int kMax, int kZero>
  struct Dot {
    static constexpr int kSteps = 32767 / (kMax * 127 * 2);  // vpmaddubsw results that fit one int16
    I sum;
    I pairs;

    static I start(I sum_x) { return _mm256_mullo_epi32(sum_x, _mm256_set1_epi32(-kZero)); }
    // Step j of a group: `j` is a constant once the caller's loop is unrolled.
    void step(int j, I w, I x) {
      const I products = _mm256_maddubs_epi16(w, x);
      pairs = j % kSteps == 0 ? products : _mm256_add_epi16(pairs, products);
      ATELIER_KEEP_IN_REGISTER(pairs);
      if (j % kSteps == kSteps - 1) widen();
    }
    // After `steps` steps.
    I value(int steps) {
      if (steps % kSteps != 0) widen();
      return sum;
    }
    void widen() {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      ATELIER_KEEP_IN_REGISTER(sum);
    }
  };
  // Bytes of the whole range do not fit that product: |w - 128| * (x with its sign); two of them are at most 2 * 128 * 127 < 2^15.
  template <int kZero>
  struct Dot<255, kZero> {
    I sum;
    static I start(I) { return _mm256_setzero_si256(); }
    void step(int, I w, I x) {
      const I level = _mm256_xor_si256(w, _mm256_set1_epi8(static_cast<char>(kZero)));
      const I pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(level), _mm256_sign_epi8(x, level));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      ATELIER_KEEP_IN_REGISTER(sum);
    }
    I value(int) { return sum; }
  };

 private:
  // 4 x 4 dwords in each 128-bit part.
  static void transpose(const I* in, I* out) {
    const I a = _mm256_unpacklo_epi32(in[0], in[1]), b = _mm256_unpacklo_epi32(in[2], in[3]);
    const I c = _mm256_unpackhi_epi32(in[0], in[1]), d = _mm256_unpackhi_epi32(in[2], in[3]);
    out[0] = _mm256_unpacklo_epi64(a, b);
    out[1] = _mm256_unpackhi_epi64(a, b);
    out[2] = _mm256_unpacklo_epi64(c, d);
    out[3] = _mm256_unpackhi_epi64(c, d);
  }
};

}  // namespace atelier::kernels
