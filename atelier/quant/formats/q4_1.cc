// Q4_1: 32 weights in 20 bytes, 5 bits a weight.
//
//   0   half d
//   2   half lowest
//   4   16 bytes of nibbles n (fields.h)         w = d * n + lowest
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/small_block.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 20;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSmallBlock) {
    uint8_t levels[kSmallBlock];
    load_nibbles(src + 4, levels);
    unpack_affine_small_block(src, levels, dst);
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSmallBlock, dst += kBytes) {
    uint8_t levels[kSmallBlock];
    fit_affine_small_block(src, importance ? importance + b * kSmallBlock : nullptr, 15, dst, dst + 2, levels);
    store_nibbles(levels, dst + 4);
  }
}

}  // namespace

extern const BlockFormat format_q4_1;
const BlockFormat format_q4_1 = {DType::kQ4_1, "4 bits, blocks of 32 with a scale and a minimum: 5 bits a weight", unpack, pack, 0.081};

}  // namespace atelier::quant
