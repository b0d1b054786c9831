// Eight 6-bit scales and eight 6-bit offsets in 12 bytes, as in Q4_K and Q5_K.
//
//   byte j     (0..3)   scale[j] in the low 6 bits, bits 4-5 of scale[j + 4] above
//   byte j + 4          offset[j] likewise with offset[j + 4]
//   byte j + 8          bits 0-3 of scale[j + 4] low, of offset[j + 4] high
#pragma once

#include <cstdint>

namespace atelier::quant {

inline constexpr int kScaleBytes = 12;

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

}  // namespace atelier::quant
