// NF4: 64 weights in 36 bytes, 4.5 bits a weight; in memory only, no file has it.
//
//   0   float32 d, the largest magnitude
//   4   16 bytes of nibbles n (fields.h) of weights 0 .. 31, then of 32 .. 63         w = d * kNormalFloatLevels[n]
//
// Codes, d and values are those of bitsandbytes, which keeps the nibbles in another order. Integer products read the levels in 127ths.
//
// Source   Dettmers et al. 2023, arXiv:2305.14314
#include <algorithm>
#include <cmath>
#include <cstring>

#include "atelier/quant/fields.h"
#include "atelier/quant/normal_float.h"
#include "atelier/quant/quant.h"

namespace atelier::quant {
namespace {

constexpr int kBytes = 36, kWeights = 64;

// Calls visit(d, levels) for every block.
template <typename Visit>
void visit_blocks(const uint8_t* src, int64_t blocks, const Visit& visit) {
  for (int64_t b = 0; b < blocks; ++b, src += kBytes) {
    float d;
    std::memcpy(&d, src, sizeof d);
    uint8_t levels[kWeights];
    load_nibbles(src + 4, levels);
    load_nibbles(src + 20, levels + 32);
    visit(d, levels);
  }
}

void unpack(const uint8_t* src, float* dst, int64_t blocks) {
  visit_blocks(src, blocks, [&](float d, const uint8_t* levels) {
    for (int i = 0; i < kWeights; ++i) *dst++ = d * kNormalFloatLevels[levels[i]];
  });
}

void unpack_rounded(const uint8_t* src, float* dst, int64_t blocks) {
  visit_blocks(src, blocks, [&](float d, const uint8_t* levels) {
    for (int i = 0; i < kWeights; ++i) *dst++ = d * (1.0f / 127) * static_cast<float>(kNormalFloatBytes[levels[i]] - 128);
  });
}

// The nearest level to x in [-1, 1]; the lower one where two are as near. NaN: 0.
uint8_t nearest_level(float x) {
  uint8_t level = 0;
  for (int i = 0; i < 15; ++i) level += x > (kNormalFloatLevels[i] + kNormalFloatLevels[i + 1]) / 2;
  return level;
}

void pack(const float* src, const float*, uint8_t* dst, int64_t blocks) {
  for (int64_t b = 0; b < blocks; ++b, src += kWeights, dst += kBytes) {
    float d = 0;
    for (int i = 0; i < kWeights; ++i) d = std::max(d, std::abs(src[i]));
    std::memcpy(dst, &d, sizeof d);
    const float inverse = 1.0f / std::max(d, 1e-38f);
    uint8_t levels[kWeights];
    for (int i = 0; i < kWeights; ++i) levels[i] = nearest_level(std::clamp(src[i] * inverse, -1.0f, 1.0f));
    store_nibbles(levels, dst + 4);
    store_nibbles(levels + 32, dst + 20);
  }
}

}  // namespace

extern const BlockFormat format_nf4;
const BlockFormat format_nf4 = {
    DType::kNF4,   "4 bits on the quantiles of a normal distribution, blocks of 64: 4.5 bits a weight; in memory only", unpack, pack, 0.092,
    unpack_rounded};

}  // namespace atelier::quant
