// IQ4_NL: 32 weights in 18 bytes, 4.5 bits a weight; read only.
//
//   0   half d
//   2   16 bytes of nibbles n (fields.h)         w = d * kNonlinearLevels[n]
#include "atelier/quant/fields.h"
#include "atelier/quant/nonlinear_levels.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/small_block.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 18;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSmallBlock) {
    const float d = load_half(src);
    uint8_t levels[kSmallBlock];
    load_nibbles(src + 2, levels);
    for (int i = 0; i < kSmallBlock; ++i) dst[i] = d * static_cast<float>(kNonlinearLevels[levels[i]]);
  }
}

}  // namespace

extern const BlockFormat format_iq4_nl;
const BlockFormat format_iq4_nl = {DType::kIQ4_NL, "4 bits on 16 uneven levels, blocks of 32: 4.5 bits a weight; read only", unpack,
                                   nullptr, 0};

}  // namespace atelier::quant
