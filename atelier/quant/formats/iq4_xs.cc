// IQ4_XS: 256 weights in 136 bytes, 4.25 bits a weight; 8 groups of 32; read only.
//
//   0   half d
//   2   16-bit word: bits 2 g and 2 g + 1 are the upper two bits of scale[g]
//   4   4 bytes: lower four bits of scale[2 p] low, of scale[2 p + 1] high; 32 is subtracted from the six
//   8   16 bytes of nibbles n for each group (fields.h)      w = d * (scale[g] - 32) * kNonlinearLevels[n]
#include "atelier/quant/fields.h"
#include "atelier/quant/nonlinear_levels.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 136;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const float d = load_half(src);
    for (int g = 0; g < 8; ++g) {
      const int high = src[2 + g / 4] >> (g % 4 * 2) & 3;
      const int low = src[4 + g / 2] >> (g % 2 * 4) & 15;
      const float scale = d * static_cast<float>((low | high << 4) - 32);
      uint8_t levels[32];
      load_nibbles(src + 8 + g * 16, levels);
      for (int j = 0; j < 32; ++j) dst[g * 32 + j] = scale * static_cast<float>(kNonlinearLevels[levels[j]]);
    }
  }
}

}  // namespace

extern const BlockFormat format_iq4_xs;
const BlockFormat format_iq4_xs = {DType::kIQ4_XS, "4 bits on 16 uneven levels, groups of 32: 4.25 bits a weight; read only", unpack,
                                   nullptr, 0};

}  // namespace atelier::quant
