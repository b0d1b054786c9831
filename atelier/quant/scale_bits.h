// The head of a Q4_K and Q5_K block: halves d and dmin, then eight 6-bit scales and eight 6-bit offsets in 12 bytes.
//
//   byte j     (0..3)   scale[j] in the low 6 bits, bits 4-5 of scale[j + 4] above
//   byte j + 4          offset[j] likewise with offset[j + 4]
//   byte j + 8          bits 0-3 of scale[j + 4] low, of offset[j + 4] high
#pragma once

#include <cstdint>

#include "atelier/quant/fields.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {

inline constexpr int kScaleBytes = 12;
inline constexpr int kHeadBytes = 4 + kScaleBytes;

inline void load_scales(const uint8_t* src, uint8_t* scales, uint8_t* offsets) {
  for (int j = 0; j < 4; ++j) {
    scales[j] = src[j] & 63;
    offsets[j] = src[j + 4] & 63;
    scales[j + 4] = static_cast<uint8_t>((src[j + 8] & 15) | (src[j] >> 6) << 4);
    offsets[j + 4] = static_cast<uint8_t>((src[j + 8] >> 4) | (src[j + 4] >> 6) << 4);
  }
}

inline void store_scales(const uint8_t* scales, const uint8_t* offsets, uint8_t* dst) {
  for (int j = 0; j < 4; ++j) {
    dst[j] = static_cast<uint8_t>(scales[j] | (scales[j + 4] >> 4) << 6);
    dst[j + 4] = static_cast<uint8_t>(offsets[j] | (offsets[j + 4] >> 4) << 6);
    dst[j + 8] = static_cast<uint8_t>((scales[j + 4] & 15) | (offsets[j + 4] & 15) << 4);
  }
}

// Fits 256 weights in groups of 32, writes the head, and returns the levels' block.
inline AffineBlock pack_head(const float* src, const float* importance, int highest_level, uint8_t* head) {
  const AffineBlock block = fit_affine_block(src, importance, {32, highest_level, 63}, head, head + 2);
  store_scales(block.scales, block.offsets, head + 4);
  return block;
}

// The 256 weights of a block whose levels are read.
inline void unpack_levels(const uint8_t* head, const uint8_t* levels, float* dst) {
  const float d = load_half(head), dmin = load_half(head + 2);
  uint8_t scales[8], offsets[8];
  load_scales(head + 4, scales, offsets);
  for (int g = 0; g < 8; ++g) {
    const float scale = d * static_cast<float>(scales[g]), offset = dmin * static_cast<float>(offsets[g]);
    for (int i = 32 * g; i < 32 * g + 32; ++i) dst[i] = scale * static_cast<float>(levels[i]) - offset;
  }
}

}  // namespace atelier::quant
