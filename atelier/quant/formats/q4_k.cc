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

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    uint8_t levels[kSuperblock];
    load_nibbles_of_pairs(src + kHeadBytes, levels);
    unpack_levels(src, levels, dst);
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    const AffineBlock block = pack_head(src, importance ? importance + b * kSuperblock : nullptr, 15, dst);
    store_nibbles_of_pairs(block.levels, dst + kHeadBytes);
  }
}

}  // namespace

extern const BlockFormat format_q4_k;
const BlockFormat format_q4_k = {DType::kQ4_K, "4 bits, groups of 32 with scale and minimum: 4.5 bits a weight", unpack, pack, 0.074};

}  // namespace atelier::quant
