#include "atelier/nn/alibi.h"

#include <gtest/gtest.h>

namespace atelier::nn {
namespace {

TEST(AlibiSlopes, powers_of_two_halve_down_to_one_256th) {  // Press et al. 2021, section 3: 1/2, 1/4 … 1/256 for 8 heads
  const std::vector<float> slopes = alibi_slopes(8);
  EXPECT_FLOAT_EQ(slopes[0], 0.5f);
  EXPECT_FLOAT_EQ(slopes[7], 1.0f / 256);
}

TEST(AlibiSlopes, other_counts_interleave_the_next_power) {
  const std::vector<float> slopes = alibi_slopes(3);  // those of 2 heads, then the first of 4
  EXPECT_FLOAT_EQ(slopes[0], 1.0f / 16);
  EXPECT_FLOAT_EQ(slopes[1], 1.0f / 256);
  EXPECT_FLOAT_EQ(slopes[2], 0.25f);
}

}  // namespace
}  // namespace atelier::nn
