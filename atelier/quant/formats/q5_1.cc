// Q5_1: 32 weights in 24 bytes, 6 bits a weight.
//
//   0   half d
//   2   half lowest
//   4   32 fifth bits
//   8   16 bytes of nibbles (fields.h); with its fifth bit each is n      w = d * n + lowest
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/small_block.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 24;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSmallBlock) {
    uint8_t levels[kSmallBlock];
    load_nibbles(src + 8, levels);
    load_fifth_bits(src + 4, levels);
    unpack_affine_small_block(src, levels, dst);
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSmallBlock, dst += kBytes) {
    uint8_t levels[kSmallBlock];
    fit_affine_small_block(src, importance ? importance + b * kSmallBlock : nullptr, 31, dst, dst + 2, levels);
    store_fifth_bits(levels, dst + 4);
    store_nibbles(levels, dst + 8);
  }
}

}  // namespace

extern const BlockFormat format_q5_1;
const BlockFormat format_q5_1 = {DType::kQ5_1, "5 bits, blocks of 32 with a scale and a minimum: 6 bits a weight", unpack, pack, 0.0394};

}  // namespace atelier::quant
