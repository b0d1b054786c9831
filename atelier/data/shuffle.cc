#include "atelier/data/shuffle.h"

#include <bit>

#include "atelier/base/error.h"
#include "atelier/base/rng.h"

namespace atelier::data {

int64_t shuffled(uint64_t seed, uint64_t epoch, int64_t place, int64_t count) {
  ATELIER_CHECK(0 <= place && place < count);
  const int half_bits = (std::bit_width(static_cast<uint64_t>(count - 1)) + 1) / 2;
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  auto x = static_cast<uint64_t>(place);
  do {
    uint64_t left = x >> half_bits, right = x & mask;
    for (uint64_t round = 0; round < 4; ++round) {
      const uint64_t mixed = left ^ (random_bits(seed, 4 * epoch + round, right) & mask);
      left = right;
      right = mixed;
    }
    x = left << half_bits | right;
  } while (x >= static_cast<uint64_t>(count));
  return static_cast<int64_t>(x);
}

}  // namespace atelier::data
