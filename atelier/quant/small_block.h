// Choosing scale and levels of the formats with 32 weights a block.
//
// Without an importance the block's extreme values fix the scale, as in every other writer of these formats: the bytes agree with
// theirs. With an importance the scale is fitted to the weighted error.
#pragma once

#include <cstdint>

namespace atelier::quant {

inline constexpr int kSmallBlock = 32;

// The values of a block whose half d is at `scale` and whose levels are read.
void unpack_symmetric_small_block(const uint8_t* scale, const uint8_t* levels, int half_level, float* x);

// The values of a block whose halves d and lowest are at `head` and whose levels are read.
void unpack_affine_small_block(const uint8_t* head, const uint8_t* levels, float* x);

// x ~ d * (level - half_level), levels 0..2 * half_level - 1 (Q4_0, Q5_0). Writes the half d.
void fit_symmetric_small_block(const float* x, const float* importance, int half_level, uint8_t* d, uint8_t* levels);

// x ~ d * level + lowest, levels 0..highest (Q4_1, Q5_1). Writes the halves d and lowest.
void fit_affine_small_block(const float* x, const float* importance, int highest, uint8_t* d, uint8_t* lowest, uint8_t* levels);

}  // namespace atelier::quant
