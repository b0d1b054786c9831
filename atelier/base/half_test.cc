#include "atelier/base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace atelier {
namespace {

// The value of a half from its definition, (-1)^s 2^(e-15) (1 + m/1024).
double value_of_f16(uint16_t h) {
  const int exponent = (h >> 10) & 31, mantissa = h & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return h & 0x8000 ? -magnitude : magnitude;
}

// Nearest of the two neighbours `low` <= |x| <= `low` + 1 (as bits) by distance, ties to the even one.
uint16_t nearest_even(double x, double (*value_of)(uint16_t), uint16_t top) {
  uint16_t low = 0;
  for (int bit = 14; bit >= 0; --bit) {
    const uint16_t candidate = static_cast<uint16_t>(low | (1 << bit));
    if (candidate <= top && value_of(candidate) <= x) low = candidate;
  }
  const double below = x - value_of(low), above = value_of(static_cast<uint16_t>(low + 1)) - x;
  return static_cast<uint16_t>(below < above || (below == above && low % 2 == 0) ? low : low + 1);
}

TEST(Half, EveryF16HasItsValueAndComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint16_t h = static_cast<uint16_t>(bits);
    const float f = f16_to_f32(h);
    if (((h >> 10) & 31) == 31) {
      EXPECT_EQ(std::isnan(f), (h & 1023) != 0);
      EXPECT_EQ(std::signbit(f), (h & 0x8000) != 0);
      const uint16_t quiet = (h & 1023) != 0 ? static_cast<uint16_t>(h | 0x200) : h;
      EXPECT_EQ(f32_to_f16(f), quiet) << "NaNs become quiet and keep their payload";
    } else {
      ASSERT_EQ(static_cast<double>(f), value_of_f16(h)) << bits;
      ASSERT_EQ(f32_to_f16(f), h) << bits;
    }
  }
}

TEST(Half, EveryBf16ComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint16_t b = static_cast<uint16_t>(bits);
    const float f = bf16_to_f32(b);
    const uint16_t expected = std::isnan(f) ? static_cast<uint16_t>(b | 0x40) : b;
    ASSERT_EQ(f32_to_bf16(f), expected) << bits;
  }
}

TEST(Half, F16RoundsToNearestEven) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> exponent(-27, 15.99);
  for (int i = 0; i < 20'000; ++i) {
    const float f = static_cast<float>(std::exp2(exponent(random)));
    if (f > 65504.0f) continue;
    ASSERT_EQ(f32_to_f16(f), nearest_even(f, value_of_f16, 0x7bff)) << f;
    ASSERT_EQ(f32_to_f16(-f), f32_to_f16(f) | 0x8000);
  }
}

TEST(Half, TiesBetweenNeighboursGoToTheEvenOne) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = f16_to_f32(static_cast<uint16_t>(bits)), high = f16_to_f32(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;
    ASSERT_EQ(f32_to_f16(middle), bits + bits % 2) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, high)), bits + 1) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0f)), bits) << bits;
  }
}

TEST(Half, LargeValuesBecomeInfinityWhereRoundingSaysSo) {
  EXPECT_EQ(f32_to_f16(65504.0f), 0x7bff);
  EXPECT_EQ(f32_to_f16(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(-std::numeric_limits<float>::infinity()), 0xfc00);
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0) << "half of the smallest subnormal ties to zero";
  EXPECT_EQ(f32_to_f16(-1e-30f), 0x8000);
}

TEST(Half, Bf16TiesGoToTheEvenOne) {
  for (uint32_t bits = 0; bits < 0x7f7f; ++bits) {
    const float middle = std::bit_cast<float>(bits << 16 | 0x8000u);
    ASSERT_EQ(f32_to_bf16(middle), bits + bits % 2);
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(bits << 16 | 0x8001u)), bits + 1);
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(bits << 16 | 0x7fffu)), bits);
  }
}

TEST(Half, NanStaysNanThroughBothTypes) {
  const float low_payload = std::bit_cast<float>(0x7f800001u);  // would become infinity if it were truncated
  EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(low_payload))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(low_payload))));
}

}  // namespace
}  // namespace atelier
