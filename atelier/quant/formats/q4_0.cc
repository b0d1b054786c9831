// Q4_0: 32 weights in 18 bytes, 4.5 bits a weight.
//
//   0   half d
//   2   16 bytes of nibbles n (fields.h)         w = d * (n - 8)
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/small_block.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 18;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSmallBlock) {
    uint8_t levels[kSmallBlock];
    load_nibbles(src + 2, levels);
    unpack_symmetric_small_block(src, levels, 8, dst);
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSmallBlock, dst += kBytes) {
    uint8_t levels[kSmallBlock];
    fit_symmetric_small_block(src, importance ? importance + b * kSmallBlock : nullptr, 8, dst, levels);
    store_nibbles(levels, dst + 2);
  }
}

}  // namespace

extern const BlockFormat format_q4_0;
const BlockFormat format_q4_0 = {DType::kQ4_0, "4 bits, blocks of 32 with one scale: 4.5 bits a weight", unpack, pack, 0.09};

}  // namespace atelier::quant
