// The two shapes of a K-quant block: 256 weights in groups whose scales are themselves small integers times one half.
//
//   affine     x ~ d * scale[g] * level - dmin * offset[g]     Q2_K, Q4_K, Q5_K
//   symmetric  x ~ d * scale[g] * level                        Q3_K, Q6_K
//
// These functions choose every number of a block; the files in formats/ only place their bits.
#pragma once

#include <cstdint>

namespace atelier::quant {

inline constexpr int kSuperblock = 256;

struct AffineShape {
  int group;          // weights that share a scale and an offset: 16 or 32
  int highest_level;  // levels are 0..highest_level
  int highest_scale;  // scale[g] and offset[g] are 0..highest_scale
};

struct AffineBlock {
  uint8_t scales[16];  // kSuperblock / group are in use
  uint8_t offsets[16];
  uint8_t levels[kSuperblock];
};

struct SymmetricShape {
  int group;       // weights that share a scale: 16
  int half_level;  // levels are -half_level..half_level - 1
  int half_scale;  // scale[g] is -half_scale..half_scale - 1
};

struct SymmetricBlock {
  int8_t scales[16];
  uint8_t levels[kSuperblock];  // with half_level added: from 0 up
};

// Fits 256 values and writes the halves d (and dmin) at the given places. `importance` as in BlockFormat::pack.
AffineBlock fit_affine_block(const float* x, const float* importance, AffineShape shape, uint8_t* d, uint8_t* dmin);
SymmetricBlock fit_symmetric_block(const float* x, const float* importance, SymmetricShape shape, uint8_t* d);

}  // namespace atelier::quant
