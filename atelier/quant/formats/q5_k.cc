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
constexpr int kFifthBytes = 32;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSuperblock) {
    const uint8_t* fifth = src + kHeadBytes;
    uint8_t levels[kSuperblock];
    load_nibbles_of_pairs(fifth + kFifthBytes, levels);
    for (int i = 0; i < kSuperblock; ++i) levels[i] |= static_cast<uint8_t>((fifth[i % 32] >> (i / 32) & 1) << 4);
    unpack_levels(src, levels, dst);
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSuperblock, dst += kBytes) {
    const AffineBlock block = pack_head(src, importance ? importance + b * kSuperblock : nullptr, 31, dst);
    uint8_t* fifth = dst + kHeadBytes;
    std::memset(fifth, 0, kFifthBytes);
    for (int i = 0; i < kSuperblock; ++i) fifth[i % 32] |= static_cast<uint8_t>((block.levels[i] >> 4) << (i / 32));
    store_nibbles_of_pairs(block.levels, fifth + kFifthBytes);
  }
}

}  // namespace

extern const BlockFormat format_q5_k;
const BlockFormat format_q5_k = {DType::kQ5_K, "5 bits, groups of 32 with scale and minimum: 5.5 bits a weight", unpack, pack, 0.0365};

}  // namespace atelier::quant
