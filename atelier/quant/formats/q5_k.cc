// Q5_K: 256 weights in 176 bytes, 5.5 bits a weight; 8 groups of 32.
//
//   0    half d
//   2    half dmin
//   4    12 bytes of scales and offsets (scale_bits.h)
//   16   32 bytes of fifth bits: bit g of byte j is that of weight j of group g
//   48   128 bytes of nibbles: byte 32 p + j holds weight j of group 2 p low, of group 2 p + 1 high
//                                                w = d * scale[g] * level - dmin * offset[g]
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/scale_bits.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 176;
constexpr AffineShape kShape{32, 31, 63};

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const float d = load_half(src), dmin = load_half(src + 2);
    uint8_t scales[8], offsets[8];
    load_scales(src + 4, scales, offsets);
    for (int g = 0; g < 8; ++g) {
      const float scale = d * static_cast<float>(scales[g]), offset = dmin * static_cast<float>(offsets[g]);
      const uint8_t* fifth = src + 16;
      const uint8_t* nibbles = src + 48 + g / 2 * 32;
      const int shift = g % 2 * 4;
      for (int j = 0; j < 32; ++j) {
        const int level = (nibbles[j] >> shift & 15) | (fifth[j] >> g & 1) << 4;
        dst[g * 32 + j] = scale * static_cast<float>(level) - offset;
      }
    }
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    const AffineBlock block = fit_affine_block(src, importance ? importance + b * kSuperblock : nullptr, kShape, dst, dst + 2);
    store_scales(block.scales, block.offsets, dst + 4);
    std::memset(dst + 16, 0, 32);
    for (int i = 0; i < kSuperblock; ++i) dst[16 + i % 32] |= static_cast<uint8_t>((block.levels[i] >> 4) << (i / 32));
    for (int j = 0; j < 128; ++j) {
      const uint8_t* l = block.levels + j / 32 * 64 + j % 32;
      dst[48 + j] = static_cast<uint8_t>((l[0] & 15) | (l[32] & 15) << 4);
    }
  }
}

}  // namespace

extern const BlockFormat format_q5_k;
const BlockFormat format_q5_k = {DType::kQ5_K, "5 bits, groups of 32 with scale and minimum: 5.5 bits a weight", unpack, pack, 0.0365};

}  // namespace atelier::quant
