// Q5_0: 32 weights in 22 bytes, 5.5 bits a weight.
//
//   0   half d
//   2   32 fifth bits
//   6   16 bytes of nibbles (fields.h); with its fifth bit each is n      w = d * (n - 16)
#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/small_block.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 22;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSmallBlock) {
    uint8_t levels[kSmallBlock];
    load_nibbles(src + 6, levels);
    load_fifth_bits(src + 2, levels);
    unpack_symmetric_small_block(src, levels, 16, dst);
  }
}

void pack(const float* src, const float* importance, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSmallBlock, dst += kBytes) {
    uint8_t levels[kSmallBlock];
    fit_symmetric_small_block(src, importance ? importance + b * kSmallBlock : nullptr, 16, dst, levels);
    store_fifth_bits(levels, dst + 2);
    store_nibbles(levels, dst + 6);
  }
}

}  // namespace

extern const BlockFormat format_q5_0;
const BlockFormat format_q5_0 = {DType::kQ5_0, "5 bits, blocks of 32 with one scale: 5.5 bits a weight", unpack, pack, 0.0445};

}  // namespace atelier::quant
