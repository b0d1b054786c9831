#include "atelier/base/rng.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier {
namespace {

using Words = std::array<uint32_t, 4>;

TEST(Rng, philox_matches_the_known_answers_of_random123) {  // kat_vectors of Random123 1.14, "philox 4x32 10"
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, seed_sequence_position_and_draw_each_change_the_value) {
  const uint64_t base = random_bits(1, 2, 3, 0);
  EXPECT_EQ(base, random_bits(1, 2, 3, 0));
  EXPECT_NE(base, random_bits(2, 2, 3, 0));
  EXPECT_NE(base, random_bits(1, 3, 3, 0));
  EXPECT_NE(base, random_bits(1, 2, 4, 0));
  EXPECT_NE(base, random_bits(1, 2, 3, 1));
  EXPECT_NE(random_bits(1, 0, uint64_t{1} << 32), random_bits(1, 0, 0)) << "the high half of a position counts";
}

TEST(Rng, uniform_values_lie_in_the_unit_interval_with_mean_one_half) {
  double sum = 0, sum_of_squares = 0;
  constexpr int kCount = 100000;
  for (int i = 0; i < kCount; ++i) {
    const double u = random_uniform(7, 0, static_cast<uint64_t>(i));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    sum_of_squares += u * u;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.005);
  EXPECT_NEAR(sum_of_squares / kCount, 1.0 / 3, 0.005);
}

}  // namespace
}  // namespace atelier
