// Q3_K: 256 weights in 110 bytes, 3.4375 bits a weight; 16 groups of 16.
//
//   0     32 bytes of high bits: bit k of byte j is that of weight 32 k + j; a set bit means "do not subtract 4"
//   32    64 bytes of 2-bit low parts: byte 32 h + j holds weights 128 h + j, + 32, + 64, + 96 from its low bits up
//   96    12 bytes of 6-bit scales, 32 added: low nibbles of scale[g] and scale[g + 8] in byte g (0..7);
//         byte 8 + g % 4 holds the upper two bits of scales g % 4, + 4, + 8, + 12 from its low bits up
//   108   half d                                 w = d * scale[g] * (level - 4)
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 110;
constexpr SymmetricShape kShape{16, 4, 32};

int load_scale(const uint8_t* packed, int g) {
  const int low = packed[g % 8] >> (g / 8 * 4) & 15;
  const int high = packed[8 + g % 4] >> (g / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

void store_scale(int scale, int g, uint8_t* packed) {
  const int raised = scale + 32;
  packed[g % 8] |= static_cast<uint8_t>((raised & 15) << (g / 8 * 4));
  packed[8 + g % 4] |= static_cast<uint8_t>((raised >> 4) << (g / 4 * 2));
}

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const float d = load_half(src + 108);
    for (int i = 0; i < kSuperblock; ++i) {
      const int low = src[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
      const int high = src[i % 32] >> (i / 32) & 1;
      dst[i] = d * static_cast<float>(load_scale(src + 96, i / 16)) * static_cast<float>(low + 4 * high - 4);
    }
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    std::memset(dst, 0, kBytes);
    const SymmetricBlock block = fit_symmetric_block(src, importance ? importance + b * kSuperblock : nullptr, kShape, dst + 108);
    for (int g = 0; g < 16; ++g) store_scale(block.scales[g], g, dst + 96);
    for (int i = 0; i < kSuperblock; ++i) {
      dst[i % 32] |= static_cast<uint8_t>((block.levels[i] >> 2) << (i / 32));
      dst[32 + i / 128 * 32 + i % 32] |= static_cast<uint8_t>((block.levels[i] & 3) << (i % 128 / 32 * 2));
    }
  }
}

}  // namespace

extern const BlockFormat format_q3_k;
const BlockFormat format_q3_k = {DType::kQ3_K, "3 bits, groups of 16 with one scale: 3.4375 bits a weight", unpack, pack, 0.152};

}  // namespace atelier::quant
