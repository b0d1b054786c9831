// Q6_K: 256 weights in 210 bytes, 6.5625 bits a weight; 16 groups of 16.
//
//   0     128 bytes of low nibbles, 64 for each half h of 128 weights: byte 64 h + j (0..63) holds weight 128 h + j low, + 64 high
//   128   64 bytes of high bit pairs: byte 32 h + j (0..31) holds weights 128 h + j, + 32, + 64, + 96 from its low bits up
//   192   16 signed bytes: scale[g]
//   208   half d                                 w = d * scale[g] * (level - 32)
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/superblock.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 210;
constexpr SymmetricShape kShape{16, 32, 128};

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const float d = load_half(src + 208);
    for (int i = 0; i < kSuperblock; ++i) {
      const int low = src[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
      const int high = src[128 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
      const float scale = d * static_cast<float>(static_cast<int8_t>(src[192 + i / 16]));
      dst[i] = scale * static_cast<float>((low | high << 4) - 32);
    }
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    std::memset(dst, 0, kBytes);
    const SymmetricBlock block = fit_symmetric_block(src, importance ? importance + b * kSuperblock : nullptr, kShape, dst + 208);
    std::memcpy(dst + 192, block.scales, sizeof block.scales);
    for (int i = 0; i < kSuperblock; ++i) {
      dst[i / 128 * 64 + i % 64] |= static_cast<uint8_t>((block.levels[i] & 15) << (i % 128 / 64 * 4));
      dst[128 + i / 128 * 32 + i % 32] |= static_cast<uint8_t>((block.levels[i] >> 4) << (i % 128 / 32 * 2));
    }
  }
}

}  // namespace

extern const BlockFormat format_q6_k;
const BlockFormat format_q6_k = {DType::kQ6_K, "6 bits, groups of 16 with one scale: 6.5625 bits a weight", unpack, pack, 0.0182};

}  // namespace atelier::quant
