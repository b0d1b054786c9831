// Q4_K: 256 weights in 144 bytes, 4.5 bits a weight; 8 groups of 32.
//
//   0    half d
//   2    half dmin
//   4    12 bytes of scales and offsets (scale_bits.h)
//   16   128 bytes of nibbles: byte 32 p + j holds weight j of group 2 p low, of group 2 p + 1 high
//                                                w = d * scale[g] * level - dmin * offset[g]
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/scale_bits.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 144;
constexpr AffineShape kShape{32, 15, 63};

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const float d = load_half(src), dmin = load_half(src + 2);
    uint8_t scales[8], offsets[8];
    load_scales(src + 4, scales, offsets);
    for (int g = 0; g < 8; ++g) {
      const float scale = d * static_cast<float>(scales[g]), offset = dmin * static_cast<float>(offsets[g]);
      const uint8_t* nibbles = src + 16 + g / 2 * 32;
      const int shift = g % 2 * 4;
      for (int j = 0; j < 32; ++j) dst[g * 32 + j] = scale * static_cast<float>(nibbles[j] >> shift & 15) - offset;
    }
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    const AffineBlock block = fit_affine_block(src, importance ? importance + b * kSuperblock : nullptr, kShape, dst, dst + 2);
    store_scales(block.scales, block.offsets, dst + 4);
    for (int j = 0; j < 128; ++j) {
      const uint8_t* l = block.levels + j / 32 * 64 + j % 32;
      dst[16 + j] = static_cast<uint8_t>(l[0] | l[32] << 4);
    }
  }
}

}  // namespace

extern const BlockFormat format_q4_k;
const BlockFormat format_q4_k = {DType::kQ4_K, "4 bits, groups of 32 with scale and minimum: 4.5 bits a weight", unpack, pack, 0.074};

}  // namespace atelier::quant
