#include "atelier/nn/positions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::nn {
namespace {

TEST(Sinusoids, have_sines_before_cosines_of_the_same_frequencies) {
  const Tensor table = sinusoids(40, 8);
  for (int64_t p = 0; p < 40; p += 13) {
    for (int64_t i = 0; i < 4; ++i) {
      const double angle = static_cast<double>(p) / std::pow(10000.0, static_cast<double>(i) / 4);
      EXPECT_NEAR(table.f32()[p * 8 + i], std::sin(angle), 1e-6);
      EXPECT_NEAR(table.f32()[p * 8 + 4 + i], std::cos(angle), 1e-6);
    }
  }
}

// What T5's 32 buckets are for distances up to 128.
TEST(DistanceBuckets, are_exact_near_and_logarithmic_far) {
  const std::vector<int32_t> both = distance_buckets(32, 128, true), causal = distance_buckets(32, 128, false);
  const auto at = [](const std::vector<int32_t>& buckets, int64_t distance) { return buckets[static_cast<size_t>(128 + distance)]; };
  EXPECT_EQ(at(both, 0), 0);
  EXPECT_EQ(at(both, -7), 7);
  EXPECT_EQ(at(both, 7), 23);
  EXPECT_EQ(at(both, -8), 8);
  EXPECT_EQ(at(both, -16), 10);
  EXPECT_EQ(at(both, 128), 31);
  EXPECT_EQ(at(both, -128), 15);
  EXPECT_EQ(at(causal, 5), 0);
  EXPECT_EQ(at(causal, -15), 15);
  EXPECT_EQ(at(causal, -16), 16);
  EXPECT_EQ(at(causal, -128), 31);
}

}  // namespace
}  // namespace atelier::nn
