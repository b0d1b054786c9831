// Intrinsics up to AVX-512 BF16, and AMX, in plain C++, for the tests: SIMDe's, and the few that SIMDe 0.7.4 lacks.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of vector types, which stay what they are
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "atelier/base/half.h"

// What SIMDe leaves out or, as its alias of madd, gets wrong.
using __mmask16 = uint16_t;
using __mmask32 = uint32_t;
#define _MM_HINT_T0 0
#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC
#undef _mm_prefetch
#define _mm_prefetch(p, hint) static_cast<void>(p)
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)

namespace atelier::kernels::emulation {

// A register as an array of its lanes, and back.
template <typename T, int kCount, typename Register>
struct Lanes {
  T at[kCount] = {};

  Lanes() = default;
  explicit Lanes(const Register& r) { std::memcpy(at, &r, sizeof at); }
  operator Register() const {
    static_assert(sizeof at == sizeof(Register));
    Register r;
    std::memcpy(&r, at, sizeof at);
    return r;
  }
};
using F32x16 = Lanes<float, 16, __m512>;
using I32x16 = Lanes<int32_t, 16, __m512i>;
using U16x32 = Lanes<uint16_t, 32, __m512i>;
using U16x16 = Lanes<uint16_t, 16, __m256i>;
using U8x16 = Lanes<uint8_t, 16, __m128i>;
using Bf16x32 = Lanes<uint16_t, 32, __m512bh>;

template <typename To, typename From, typename Function>
To convert(const From& from, int count, Function f) {
  To to;
  for (int i = 0; i < count; ++i) to.at[i] = f(from.at[i]);
  return to;
}

// The tile registers of simd/tiles.h.
template <typename Shapes>
class Tiles {
 public:
  explicit Tiles(const Shapes& shapes) : shapes_(shapes) { active() = this; }
  ~Tiles() { active() = nullptr; }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  template <int kTile>
  static void load(const void* rows, int64_t stride) {
    clear<kTile>();
    for (int r = 0; r < num_rows(kTile); ++r) {
      std::memcpy(row(kTile, r), static_cast<const uint8_t*>(rows) + r * stride, active()->shapes_.row_bytes[kTile]);
    }
  }
  template <int kTile>
  static void store(void* rows, int64_t stride) {
    for (int r = 0; r < num_rows(kTile); ++r) {
      std::memcpy(static_cast<uint8_t*>(rows) + r * stride, row(kTile, r), active()->shapes_.row_bytes[kTile]);
    }
  }
  template <int kTile>
  static void clear() {
    std::memset(row(kTile, 0), 0, sizeof active()->tiles_[kTile]);
  }
  template <int kC, int kA, int kB>
  static void add_bf16() {
    add<float, uint16_t>(kC, kA, kB, [](float sum, const uint16_t* a, const uint16_t* b, float(&parts)[2], bool is_last) {
      for (int i = 0; i < 2; ++i) parts[i] = std::fma(atelier::bf16_to_f32(a[i]), atelier::bf16_to_f32(b[i]), parts[i]);
      return is_last ? sum + (parts[0] + parts[1]) : sum;
    });
  }
  template <int kC, int kA, int kB>
  static void add_int8() {
    add<int32_t, int8_t>(kC, kA, kB, [](int32_t sum, const int8_t* a, const int8_t* b, int32_t(&)[2], bool) {
      for (int i = 0; i < 4; ++i) sum += a[i] * b[i];
      return sum;
    });
  }

 private:
  static Tiles*& active() {
    thread_local Tiles* tiles = nullptr;
    return tiles;
  }
  static int num_rows(int tile) { return active()->shapes_.rows[tile]; }
  static uint8_t* row(int tile, int r) { return active()->tiles_[tile][r]; }

  // Word by word: sum = step(sum, a, b, partial sums, whether the word is the last).
  template <typename Sum, typename Input, typename Step>
  static void add(int c, int a, int b, const Step& step) {
    const int words = active()->shapes_.row_bytes[a] / 4, columns = active()->shapes_.row_bytes[c] / 4;
    for (int m = 0; m < num_rows(c); ++m) {
      for (int n = 0; n < columns; ++n) {
        Sum sum, parts[2] = {};
        std::memcpy(&sum, row(c, m) + 4 * n, sizeof sum);
        for (int w = 0; w < words; ++w) {
          Input left[4 / sizeof(Input)], right[4 / sizeof(Input)];
          std::memcpy(left, row(a, m) + 4 * w, 4);
          std::memcpy(right, row(b, w) + 4 * n, 4);
          sum = step(sum, left, right, parts, w + 1 == words);
        }
        std::memcpy(row(c, m) + 4 * n, &sum, sizeof sum);
      }
    }
  }

  Shapes shapes_;
  uint8_t tiles_[8][16][64] = {};
};

}  // namespace atelier::kernels::emulation

// NOLINTBEGIN: the names are the processor manuals'
inline __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const float* p) {
  atelier::kernels::emulation::F32x16 r;
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) r.at[i] = p[i];
  }
  return r;
}
inline void _mm512_mask_storeu_ps(float* p, __mmask16 mask, __m512 a) {
  const atelier::kernels::emulation::F32x16 r(a);
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) p[i] = r.at[i];
  }
}
inline __m512i _mm512_maskz_loadu_epi16(__mmask32 mask, const void* p) {
  atelier::kernels::emulation::U16x32 r;
  for (int i = 0; i < 32; ++i) {
    if (mask >> i & 1) std::memcpy(&r.at[i], static_cast<const uint16_t*>(p) + i, 2);
  }
  return r;
}
inline __m512 _mm512_cvtph_ps(__m256i a) {
  using namespace atelier::kernels::emulation;
  return convert<F32x16>(U16x16(a), 16, atelier::f16_to_f32);
}
inline __m256i _mm512_cvtps_ph(__m512 a, int) {
  using namespace atelier::kernels::emulation;
  return convert<U16x16>(F32x16(a), 16, atelier::f32_to_f16);
}
inline __m512i _mm512_cvtepu8_epi32(__m128i a) {
  using namespace atelier::kernels::emulation;
  return convert<I32x16>(U8x16(a), 16, [](uint8_t v) { return static_cast<int32_t>(v); });
}
inline __m512i _mm512_cvtepi8_epi32(__m128i a) {
  using namespace atelier::kernels::emulation;
  return convert<I32x16>(U8x16(a), 16, [](uint8_t v) { return static_cast<int32_t>(static_cast<int8_t>(v)); });
}
inline __m512i _mm512_cvtepu16_epi32(__m256i a) {
  using namespace atelier::kernels::emulation;
  return convert<I32x16>(U16x16(a), 16, [](uint16_t v) { return static_cast<int32_t>(v); });
}
inline __m128i _mm512_cvtepi32_epi8(__m512i a) {
  using namespace atelier::kernels::emulation;
  return convert<U8x16>(I32x16(a), 16, [](int32_t v) { return static_cast<uint8_t>(v); });
}
inline __m256i _mm512_cvtepi32_epi16(__m512i a) {
  using namespace atelier::kernels::emulation;
  return convert<U16x16>(I32x16(a), 16, [](int32_t v) { return static_cast<uint16_t>(v); });
}
inline __m512i _mm512_srai_epi32(__m512i a, unsigned bits) {
  using namespace atelier::kernels::emulation;
  return convert<I32x16>(I32x16(a), 16, [bits](int32_t v) { return v >> bits; });
}
inline __m512 _mm512_cvtepi32_ps(__m512i a) {
  using namespace atelier::kernels::emulation;
  return convert<F32x16>(I32x16(a), 16, [](int32_t v) { return static_cast<float>(v); });
}
inline __m512i _mm512_cvtps_epi32(__m512 a) {
  using namespace atelier::kernels::emulation;
  return convert<I32x16>(F32x16(a), 16, [](float v) {
    const float rounded = std::nearbyint(v);
    return rounded >= -0x1p31f && rounded < 0x1p31f ? static_cast<int32_t>(rounded) : INT32_MIN;
  });
}
inline __m256 _mm512_extractf32x8_ps(__m512 a, int half) {
  __m256 r;
  std::memcpy(&r, reinterpret_cast<const char*>(&a) + 32 * half, sizeof r);
  return r;
}
inline __m512bh _mm512_cvtne2ps_pbh(__m512 high, __m512 low) {
  using namespace atelier::kernels::emulation;
  Bf16x32 r;
  for (int i = 0; i < 16; ++i) {
    r.at[i] = atelier::f32_to_bf16(F32x16(low).at[i]);
    r.at[16 + i] = atelier::f32_to_bf16(F32x16(high).at[i]);
  }
  return r;
}
inline __m256i _mm256_dpbusd_avx_epi32(__m256i sum, __m256i a, __m256i b) { return simde_mm256_dpbusd_epi32(sum, a, b); }
// NOLINTEND
