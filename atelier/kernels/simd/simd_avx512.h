// AVX-512 (F, BW, VL, DQ) as a vector type: sixteen 32-bit lanes. The members are those of simd_avx2.h, which explains them.
#pragma once

#include <cstdint>

#include "atelier/kernels/simd/intrinsics.h"

namespace atelier::kernels {

template <class Rung>
struct Simd512 {
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;
  typedef uint16_t Unaligned16 __attribute__((aligned(1), may_alias));
  typedef uint32_t Unaligned32 __attribute__((aligned(1), may_alias));
  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 6;       // 24 sums of the 32 registers
  static constexpr int kInt8Rows = 4;       // 8 integer and 8 float sums
  static constexpr bool kHasTiles = false;  // of simd/tiles.h

  // Memory.
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F a) { _mm512_storeu_ps(p, a); }
  static M lane_mask(int count) { return static_cast<M>((1u << count) - 1); }
  static F load_partial(const float* p, int count) { return _mm512_maskz_loadu_ps(lane_mask(count), p); }
  static void store_partial(float* p, F a, int count) { _mm512_mask_storeu_ps(p, lane_mask(count), a); }
  static F keep(F a, int count) { return _mm512_maskz_mov_ps(lane_mask(count), a); }
  static I load_bytes(const void* p) { return _mm512_loadu_si512(p); }
  static void store_bytes(void* p, I a) { _mm512_storeu_si512(p, a); }
  static void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
  static void prefetch_l2(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }
  static F load_f16(const uint16_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  static F broadcast_f16(const void* p) {
    return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<short>(*static_cast<const Unaligned16*>(p))));
  }
  static F load_bf16(const uint16_t* p) {
    return as_float(shift_left(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16));
  }
  static F load_u8(const uint8_t* p) { return from_int(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))); }
  static F load_i8(const uint8_t* p) { return from_int(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))); }
  static void load_pairs_f16(const uint16_t* p, F* parts) {
    const I words = load_bytes(p);
    parts[0] = half_to_float(words);
    parts[1] = half_to_float(shift_right(words, 16));
  }
  static void load_pairs_i8(const uint8_t* p, F* parts) {
    const I words = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    parts[0] = from_int(shift_right_signed(shift_left(words, 16), 16));
    parts[1] = from_int(shift_right_signed(words, 16));
  }
  static void store_f16(uint16_t* p, F a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  static void store_i8(int8_t* p, I a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a)); }

  // Float arithmetic.
  static F zero() { return _mm512_setzero_ps(); }
  static F set1(float a) { return _mm512_set1_ps(a); }
  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F sqrt(F a) { return _mm512_sqrt_ps(a); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F abs(F a) { return as_float(bit_and(bits(a), set1_int(0x7fffffff))); }
  static F with_sign_of(F magnitude, F sign) { return as_float(bit_or(bits(magnitude), bit_and(bits(sign), set1_int(INT32_MIN)))); }
  static F round(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static M less(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static F select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }
  static F pow2(I exponent) { return as_float(shift_left(add_int(exponent, set1_int(127)), 23)); }
  static F times_pow2(F a, F n) { return _mm512_scalef_ps(a, n); }

  // Across lanes: the halves are added, then eight lanes as in simd_avx2.h.
  using Quad = __m128;
  static __m256 low(F a) { return _mm512_castps512_ps256(a); }
  static __m256 high(F a) { return _mm512_extractf32x8_ps(a, 1); }
  static __m256 fold(F a) { return _mm256_add_ps(low(a), high(a)); }
  static __m128 sum4(F a, F b, F c, F d) {
    const __m256 quads = _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
    return _mm_add_ps(_mm256_castps256_ps128(quads), _mm256_extractf128_ps(quads, 1));
  }
  // Two 128-bit parts of a, then two of b.
  template <int kParts>
  static F shuffle_parts(F a, F b) {
    return as_float(_mm512_shuffle_i32x4(bits(a), bits(b), kParts));
  }
  // Pairs of lanes of a, then of b, added; in every 128-bit part.
  static F add_pairs(F a, F b) { return add(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd)); }
  // Two rows of four vectors, each half of a vector's eight lanes summed: row 0's lower halves, its upper halves, row 1's.
  static F sum_pair(const F (*rows)[4]) {
    F folded[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      folded[i] = add(shuffle_parts<0x44>(rows[0][i], rows[1][i]), shuffle_parts<0xee>(rows[0][i], rows[1][i]));
    }
    return add_pairs(add_pairs(folded[0], folded[1]), add_pairs(folded[2], folded[3]));
  }
  // The sums of each of R rows of four vectors, as sum4 makes them. Four or two rows share their shuffles.
  template <int R>
  static void sum_rows(const F (*rows)[4], Quad* out) {
    if constexpr (R >= 4) {
      const F low = sum_pair(rows), high = sum_pair(rows + 2);
      const F sums = add(shuffle_parts<0x88>(low, high), shuffle_parts<0xdd>(low, high));
      out[0] = _mm512_castps512_ps128(sums);
      out[1] = _mm512_extractf32x4_ps(sums, 1);
      out[2] = _mm512_extractf32x4_ps(sums, 2);
      out[3] = _mm512_extractf32x4_ps(sums, 3);
      sum_rows<R - 4>(rows + 4, out + 4);
    } else if constexpr (R >= 2) {
      const F halves = sum_pair(rows);
      out[0] = _mm_add_ps(_mm512_castps512_ps128(halves), _mm512_extractf32x4_ps(halves, 1));
      out[1] = _mm_add_ps(_mm512_extractf32x4_ps(halves, 2), _mm512_extractf32x4_ps(halves, 3));
      sum_rows<R - 2>(rows + 2, out + 2);
    } else if constexpr (R == 1) {
      out[0] = sum4(rows[0][0], rows[0][1], rows[0][2], rows[0][3]);
    }
  }
  static float sum(F a) { return _mm_cvtss_f32(sum4(a, a, a, a)); }
  static Quad load_quad(const float* p) { return _mm_loadu_ps(p); }
  static void store_quad(float* p, Quad a) { _mm_storeu_ps(p, a); }
  static Quad add_quad(Quad a, Quad b) { return _mm_add_ps(a, b); }
  static double sum_as_double(F a) {
    const auto quarter = [](__m256 half) {
      return _mm256_add_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(half)), _mm256_cvtps_pd(_mm256_extractf128_ps(half, 1)));
    };
    const __m256d quarters = _mm256_add_pd(quarter(low(a)), quarter(high(a)));
    const __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(quarters), _mm256_extractf128_pd(quarters, 1));
    return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
  }
  static float lane0(F a) { return _mm_cvtss_f32(_mm256_castps256_ps128(low(a))); }
  static float largest(F a) {
    const __m256 half = _mm256_max_ps(low(a), high(a));
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
  }
  static __m256i low(I a) { return _mm512_castsi512_si256(a); }
  static __m256i high(I a) { return _mm512_extracti64x4_epi64(a, 1); }
  static int32_t sum(I a) {
    const __m256i half = _mm256_add_epi32(low(a), high(a));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
  }
  static int32_t largest(I a) {
    const __m256i half = _mm256_max_epi32(low(a), high(a));
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
  }

  // Integers.
  static I zero_int() { return _mm512_setzero_si512(); }
  static I set1_int(int32_t a) { return _mm512_set1_epi32(a); }
  static I set1_byte(int8_t a) { return _mm512_set1_epi8(a); }
  static I to_int(F a) { return _mm512_cvtps_epi32(a); }
  static F from_int(I a) { return _mm512_cvtepi32_ps(a); }
  static I bits(F a) { return _mm512_castps_si512(a); }
  static F as_float(I a) { return _mm512_castsi512_ps(a); }
  static I broadcast4(const int8_t* p) { return _mm512_set1_epi32(static_cast<int>(*reinterpret_cast<const Unaligned32*>(p))); }
  static I broadcast_int(const int32_t* p) { return _mm512_set1_epi32(*p); }
  static I sub_bytes(I a, I b) { return _mm512_sub_epi8(a, b); }
  static I add_int(I a, I b) { return _mm512_add_epi32(a, b); }
  static I max_int(I a, I b) { return _mm512_max_epi32(a, b); }
  static I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
  static I bit_or(I a, I b) { return _mm512_or_si512(a, b); }
  static I bit_xor(I a, I b) { return _mm512_xor_si512(a, b); }
  static I shift_left(I a, int bits) { return _mm512_slli_epi32(a, static_cast<unsigned>(bits)); }
  static I shift_right(I a, int bits) { return _mm512_srli_epi32(a, static_cast<unsigned>(bits)); }
  static I shift_right_signed(I a, int bits) { return _mm512_srai_epi32(a, static_cast<unsigned>(bits)); }
  static I lookup(const uint8_t* table, I index) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), index);
  }
  static F lookup_f32(const float* table, const uint8_t* bytes) {
    const I index = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
    return _mm512_permutexvar_ps(index, _mm512_loadu_ps(table));
  }
  static I spread_bits(I a, int first_bit) {
    const __m128i pattern =
        _mm_add_epi8(_mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c), _mm_set1_epi8(static_cast<char>(first_bit / 8)));
    const I byte = _mm512_shuffle_epi8(a, _mm512_broadcast_i32x4(pattern));
    return _mm512_movm_epi8(_mm512_test_epi8_mask(byte, set1_int(static_cast<int>(first_bit % 8 == 0 ? 0x08040201u : 0x80402010u))));
  }

  static void scatter16(const I* in, uint8_t* dst, int64_t stride) {
    I v[4];
    transpose(in, v);
    const auto put = [&](int row, __m128i part) { _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + row * stride), part); };
    for (int i = 0; i < 4; ++i) {
      put(i, _mm256_castsi256_si128(low(v[i])));
      put(i + 4, _mm256_extracti128_si256(low(v[i]), 1));
      put(i + 8, _mm256_castsi256_si128(high(v[i])));
      put(i + 12, _mm256_extracti128_si256(high(v[i]), 1));
    }
  }
  static void transpose_square(F* m) {
    I v[16], w[16];  // dwords of 4 x 4 in each 128-bit part, then the parts
    for (int i = 0; i < 4; ++i) {
      const I rows[4] = {bits(m[4 * i]), bits(m[4 * i + 1]), bits(m[4 * i + 2]), bits(m[4 * i + 3])};
      transpose(rows, v + 4 * i);
    }
    for (int i = 0; i < 4; ++i) {
      w[i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0x88);
      w[4 + i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0xdd);
      w[8 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0x88);
      w[12 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0xdd);
    }
    for (int i = 0; i < 4; ++i) {
      m[i] = as_float(_mm512_shuffle_i32x4(w[i], w[8 + i], 0x88));
      m[4 + i] = as_float(_mm512_shuffle_i32x4(w[4 + i], w[12 + i], 0x88));
      m[8 + i] = as_float(_mm512_shuffle_i32x4(w[i], w[8 + i], 0xdd));
      m[12 + i] = as_float(_mm512_shuffle_i32x4(w[4 + i], w[12 + i], 0xdd));
    }
  }
  static F half_to_float(I a) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(a)); }

  // Products of bytes, without VNNI.
  template <int kMax, int kZero>
  struct Dot {
    static constexpr int kSteps = 32767 / (kMax * 127 * 2);
    I sum;
    I pairs;

    static I start(I sum_x) { return _mm512_mullo_epi32(sum_x, _mm512_set1_epi32(-kZero)); }
    void step(int j, I w, I x) {
      const I products = _mm512_maddubs_epi16(w, x);
      pairs = j % kSteps == 0 ? products : _mm512_add_epi16(pairs, products);
      ATELIER_KEEP_IN_REGISTER(pairs);
      if (j % kSteps == kSteps - 1) widen();
    }
    I value(int steps) {
      if (steps % kSteps != 0) widen();
      return sum;
    }
    void widen() {
      sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
      ATELIER_KEEP_IN_REGISTER(sum);
    }
  };
  template <int kZero>
  struct Dot<255, kZero> {
    I sum;
    static I start(I) { return _mm512_setzero_si512(); }
    void step(int, I w, I x) {
      const I level = _mm512_xor_si512(w, _mm512_set1_epi8(static_cast<char>(kZero)));
      const I signed_x = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(level), _mm512_setzero_si512(), x);
      const I pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(level), signed_x);
      sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
      ATELIER_KEEP_IN_REGISTER(sum);
    }
    I value(int) { return sum; }
  };

 private:
  static void transpose(const I* in, I* out) {
    const I a = _mm512_unpacklo_epi32(in[0], in[1]), b = _mm512_unpacklo_epi32(in[2], in[3]);
    const I c = _mm512_unpackhi_epi32(in[0], in[1]), d = _mm512_unpackhi_epi32(in[2], in[3]);
    out[0] = _mm512_unpacklo_epi64(a, b);
    out[1] = _mm512_unpackhi_epi64(a, b);
    out[2] = _mm512_unpacklo_epi64(c, d);
    out[3] = _mm512_unpackhi_epi64(c, d);
  }
};

}  // namespace atelier::kernels
