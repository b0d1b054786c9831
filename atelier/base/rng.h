// Random numbers as a function of where they are used, not of how many were drawn before.
//
// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds of multiply and xor turn a
// 128-bit counter and a 64-bit key into 128 random bits. With the key a seed and the counter (sequence, position), the number at a
// position is the same whatever runs beside it, whatever was drawn before it and in whichever order.
#pragma once

#include <array>
#include <cstdint>

namespace atelier {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// 64 random bits for position `position` of sequence `sequence`. `draw` is 0 or 1: two independent values per position.
uint64_t random_bits(uint64_t seed, uint64_t sequence, uint64_t position, int draw = 0);

// Uniform in [0, 1), a multiple of 2^-53.
double random_uniform(uint64_t seed, uint64_t sequence, uint64_t position, int draw = 0);

}  // namespace atelier
