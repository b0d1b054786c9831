// A random order of 0 .. count - 1 in which every place is computed on its own: no list in memory, no state to save.
//
// A Feistel network of four rounds permutes the numbers below the next even power of two; numbers at or above `count` are permuted again
// until they fall below it ("cycle walking", Black & Rogaway 2002), at most four times on average.
#pragma once

#include <cstdint>

namespace atelier::data {

// The element at `place` in [0, count) of the order that (seed, epoch) chooses; different places have different elements.
int64_t shuffled(uint64_t seed, uint64_t epoch, int64_t place, int64_t count);

}  // namespace atelier::data
