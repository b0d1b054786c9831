// Q8_0: 32 weights in 34 bytes, 8.5 bits a weight.
//
//   0   half d
//   2   32 signed bytes q                        w = d * q
//
// The importance is not used: at 8 bits the scale of the extreme value is as good as any.
#include <algorithm>
#include <cmath>

#include "atelier/quant/fields.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/small_block.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 34;

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes, dst += kSmallBlock) {
    const float d = load_half(src);
    for (int i = 0; i < kSmallBlock; ++i) dst[i] = d * static_cast<float>(static_cast<int8_t>(src[2 + i]));
  }
}

// To the nearest integer, ties away from zero, within ±127; NaN gives -127.
int8_t nearest_byte(float v) {
  const float held = std::min(std::max(-127.0f, v), 127.0f);
  return static_cast<int8_t>(held + std::copysign(0.5f, held));
}

void pack(const float* src, const float*, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kSmallBlock, dst += kBytes) {
    float extreme = 0;
    for (int i = 0; i < kSmallBlock; ++i) extreme = std::max(extreme, std::fabs(src[i]));
    const float d = std::min(extreme / 127, kLargestHalf);
    store_half(d, dst);
    const float inverse = d > 1e-37f ? 1 / d : 0;
    for (int i = 0; i < kSmallBlock; ++i) dst[2 + i] = static_cast<uint8_t>(nearest_byte(src[i] * inverse));
  }
}

}  // namespace

extern const BlockFormat format_q8_0;
const BlockFormat format_q8_0 = {DType::kQ8_0, "8 bits, blocks of 32 with one scale: 8.5 bits a weight", unpack, pack, 0.0057};

}  // namespace atelier::quant
