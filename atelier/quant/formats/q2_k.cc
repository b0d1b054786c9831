// Q2_K: 256 weights in 84 bytes, 2.625 bits a weight; 16 groups of 16.
//
//   0    16 bytes: scale[g] low nibble, offset[g] high nibble
//   16   64 bytes of 2-bit levels: byte 32 h + j holds weights 128 h + j, + 32, + 64, + 96 from its low bits up
//   80   half d
//   82   half dmin                               w = d * scale[g] * level - dmin * offset[g]
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 84;
constexpr AffineShape kShape{16, 3, 15};

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const float d = load_half(src + 80), dmin = load_half(src + 82);
    for (int i = 0; i < kSuperblock; ++i) {
      const int level = src[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
      const uint8_t group = src[i / 16];
      dst[i] = d * static_cast<float>(group & 15) * static_cast<float>(level) - dmin * static_cast<float>(group >> 4);
    }
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    const AffineBlock block = fit_affine_block(src, importance ? importance + b * kSuperblock : nullptr, kShape, dst + 80, dst + 82);
    for (int g = 0; g < 16; ++g) dst[g] = static_cast<uint8_t>(block.scales[g] | block.offsets[g] << 4);
    for (int j = 0; j < 64; ++j) {
      const uint8_t* l = block.levels + j / 32 * 128 + j % 32;
      dst[16 + j] = static_cast<uint8_t>(l[0] | l[32] << 2 | l[64] << 4 | l[96] << 6);
    }
  }
}

}  // namespace

extern const BlockFormat format_q2_k;
const BlockFormat format_q2_k = {DType::kQ2_K, "2 bits, groups of 16 with scale and minimum: 2.625 bits a weight", unpack, pack, 0.28};

}  // namespace atelier::quant
