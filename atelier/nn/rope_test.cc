// Rotary frequencies against values worked out from the papers' formulas; the whole methods are compared with transformers in
// models/golden_test.cc.
#include "atelier/nn/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::nn {
namespace {

TEST(RopeFrequencies, plain_ones_are_powers_of_theta) {
  const RopeFrequencies f = rope_frequencies({.theta = 10000, .rotary_dim = 8}, 128);
  ASSERT_EQ(f.inverse.size(), 4u);
  EXPECT_FLOAT_EQ(f.inverse[0], 1.0f);
  EXPECT_FLOAT_EQ(f.inverse[1], 0.1f);
  EXPECT_FLOAT_EQ(f.inverse[3], 0.001f);
  EXPECT_EQ(f.attention_factor, 1);
}

TEST(RopeFrequencies, linear_scaling_divides_positions) {
  const RopeFrequencies f = rope_frequencies({.theta = 10000, .rotary_dim = 8, .scaling = RopeScaling::kLinear, .factor = 4}, 128);
  EXPECT_FLOAT_EQ(f.inverse[0], 0.25f);
}

TEST(RopeFrequencies, dynamic_ntk_changes_nothing_within_the_trained_length) {
  const RopeSpec spec{.theta = 10000, .rotary_dim = 8, .scaling = RopeScaling::kDynamic, .factor = 2, .original_context = 64};
  EXPECT_FLOAT_EQ(rope_frequencies(spec, 64).inverse[3], 0.001f);
  EXPECT_LT(rope_frequencies(spec, 256).inverse[3], 0.0005f);
  EXPECT_NE(describe_length_dependence(spec, 256).find("256"), std::string::npos);
}

TEST(RopeFrequencies, llama3_keeps_high_and_divides_low_frequencies) {
  const RopeSpec spec{.theta = 500000,
                      .rotary_dim = 64,
                      .scaling = RopeScaling::kLlama3,
                      .factor = 8,
                      .original_context = 8192,
                      .low_freq_factor = 1,
                      .high_freq_factor = 4};
  const RopeFrequencies plain = rope_frequencies({.theta = 500000, .rotary_dim = 64}, 0);
  const RopeFrequencies scaled = rope_frequencies(spec, 0);
  EXPECT_EQ(scaled.inverse.front(), plain.inverse.front());
  EXPECT_FLOAT_EQ(scaled.inverse.back(), plain.inverse.back() / 8);
}

TEST(RopeFrequencies, yarn_derives_its_attention_factor) {
  const RopeSpec spec{.theta = 10000, .rotary_dim = 64, .scaling = RopeScaling::kYarn, .factor = 4, .original_context = 4096};
  EXPECT_FLOAT_EQ(rope_frequencies(spec, 0).attention_factor, static_cast<float>(0.1 * std::log(4.0) + 1));
}

TEST(RopeTable, rows_are_angles_of_their_position_and_survive_growth) {
  RopeTable table({.theta = 10000, .rotary_dim = 4}, 0);
  table.ensure(10);
  const float before = table.sin().f32()[7 * 2];
  EXPECT_NEAR(before, std::sin(7.0), 1e-6);
  table.ensure(5000);
  EXPECT_EQ(table.sin().f32()[7 * 2], before);
  EXPECT_NEAR(table.cos().f32()[4999 * 2], std::cos(4999.0), 1e-5);
}

}  // namespace
}  // namespace atelier::nn
