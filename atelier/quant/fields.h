// Reading and writing the fields of a block: unaligned little-endian halves, and the bit patterns that several formats share.
//
// A scale is stored as an IEEE half. Scales beyond its range are held at the largest finite half, so that finite weights never
// become infinities or NaNs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "atelier/base/half.h"

namespace atelier::quant {

inline constexpr float kLargestHalf = 65504.0f;

inline float load_half(const uint8_t* src) {
  uint16_t bits;
  std::memcpy(&bits, src, sizeof bits);
  return f16_to_f32(bits);
}

// Stores `value` as a half and returns what a reader will see.
inline float store_half(float value, uint8_t* dst) {
  const uint16_t bits = f32_to_f16(std::clamp(value, -kLargestHalf, kLargestHalf));
  std::memcpy(dst, &bits, sizeof bits);
  return f16_to_f32(bits);
}

// Nibbles of 32 levels in 16 bytes: byte j holds level j in its low half and level j + 16 in its high half.
inline void load_nibbles(const uint8_t* src, uint8_t* levels) {
  for (int j = 0; j < 16; ++j) {
    levels[j] = src[j] & 15;
    levels[j + 16] = src[j] >> 4;
  }
}
inline void store_nibbles(const uint8_t* levels, uint8_t* dst) {
  for (int j = 0; j < 16; ++j) dst[j] = static_cast<uint8_t>((levels[j] & 15) | (levels[j + 16] & 15) << 4);
}

// Nibbles of 256 levels in 128 bytes: byte 32 p + j holds level j of group 2 p in its low half and of group 2 p + 1 in its high half,
// in groups of 32.
inline void load_nibbles_of_pairs(const uint8_t* src, uint8_t* levels) {
  for (int j = 0; j < 128; ++j) {
    uint8_t* l = levels + j / 32 * 64 + j % 32;
    l[0] = src[j] & 15;
    l[32] = src[j] >> 4;
  }
}
inline void store_nibbles_of_pairs(const uint8_t* levels, uint8_t* dst) {
  for (int j = 0; j < 128; ++j) {
    const uint8_t* l = levels + j / 32 * 64 + j % 32;
    dst[j] = static_cast<uint8_t>((l[0] & 15) | (l[32] & 15) << 4);
  }
}

// The fifth bits of 32 levels in a 4-byte word: bit j belongs to level j.
inline void load_fifth_bits(const uint8_t* src, uint8_t* levels) {
  for (int j = 0; j < 32; ++j) levels[j] |= static_cast<uint8_t>((src[j / 8] >> (j % 8) & 1) << 4);
}
inline void store_fifth_bits(const uint8_t* levels, uint8_t* dst) {
  std::memset(dst, 0, 4);
  for (int j = 0; j < 32; ++j) dst[j / 8] |= static_cast<uint8_t>((levels[j] >> 4 & 1) << (j % 8));
}

}  // namespace atelier::quant
