#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"
#include "tests/support/kernel_tables.h"

namespace atelier::kernels {
namespace {

class RowsOfIsa : public testing::TestWithParam<NamedTable> {
 protected:
  const KernelTable& table() const { return *GetParam().table; }
};
INSTANTIATE_TEST_SUITE_P(Simd, RowsOfIsa, testing::ValuesIn(simd_tables()), name_of);
INSTANTIATE_TEST_SUITE_P(Scalar, RowsOfIsa, testing::Values(NamedTable{"scalar", &kernel_table(Isa::kScalar)}), name_of);

double exact_activation(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return std::max(0.0, x);
    case Activation::kGelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

constexpr Activation kActivations[] = {Activation::kNone,     Activation::kRelu, Activation::kGelu,
                                       Activation::kGeluTanh, Activation::kSilu, Activation::kTanh};

TEST_P(RowsOfIsa, activations_are_exact_within_rounding) {
  std::vector<float> x;
  for (float v = -12; v <= 12; v += 0.00391f) x.push_back(v);
  for (const float v : {0.0f, 1e-20f, -1e-20f, 50.0f, -50.0f, 200.0f, -200.0f}) x.push_back(v);
  std::vector<float> y(x.size());
  const bool is_scalar = GetParam().name == "scalar";  // its formulas lose digits where x is very negative
  for (const Activation activation : kActivations) {
    table().activate(activation, x.data(), y.data(), static_cast<int64_t>(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = exact_activation(activation, x[i]);
      const double relative = x[i] < -4 ? (is_scalar ? 1e-7 * std::fabs(x[i]) : 2e-5 * std::fabs(exact)) : 2e-6 * std::fabs(exact);
      ASSERT_NEAR(y[i], exact, relative + (is_scalar ? 5e-7 : 1e-30)) << static_cast<int>(activation) << " of " << x[i];
    }
  }
}

TEST_P(RowsOfIsa, a_value_has_the_same_bits_wherever_it_stands) {
  const std::vector<float> x = random_floats(37, 3, 3), up = random_floats(37, 4);
  std::vector<float> whole(37), part(37);
  for (const Activation activation : kActivations) {
    table().gated_activate(activation, x.data(), up.data(), whole.data(), 37);
    for (int64_t first = 0; first < 37; ++first) {
      table().gated_activate(activation, x.data() + first, up.data() + first, part.data(), 1);
      ASSERT_EQ(part[0], whole[first]);
    }
  }
}

TEST_P(RowsOfIsa, partial_vectors_write_nothing_beyond_the_end) {
  for (int64_t count = 1; count < 40; ++count) {
    const std::vector<float> a = random_floats(count, 1), b = random_floats(count, 2);
    std::vector<float> y(count + 16, -7.0f);
    table().add(a.data(), b.data(), y.data(), count);
    for (int64_t i = 0; i < count; ++i) EXPECT_EQ(y[i], a[i] + b[i]);
    for (size_t i = count; i < y.size(); ++i) EXPECT_EQ(y[i], -7.0f);
    table().scale(a.data(), 3.0f, y.data(), count);
    for (int64_t i = 0; i < count; ++i) EXPECT_EQ(y[i], a[i] * 3.0f);
  }
}

TEST_P(RowsOfIsa, soft_cap_is_exact_within_rounding) {
  std::vector<float> x;
  for (float v = -200; v <= 200; v += 0.037f) x.push_back(v);
  std::vector<float> y(x.size());
  table().soft_cap(x.data(), 30.0f, y.data(), static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = 30 * std::tanh(static_cast<double>(x[i]) / 30);
    ASSERT_NEAR(y[i], exact, 4e-7 * std::fabs(exact) + 1e-9) << x[i];
  }
}

TEST_P(RowsOfIsa, nan_stays_nan) {
  const float bad = NAN;
  float y = 0;
  for (const Activation activation : kActivations) {
    table().activate(activation, &bad, &y, 1);
    EXPECT_TRUE(std::isnan(y)) << static_cast<int>(activation);
  }
  table().soft_cap(&bad, 30, &y, 1);
  EXPECT_TRUE(std::isnan(y));
}

TEST_P(RowsOfIsa, norms_are_exact_within_rounding_in_place_too) {
  for (const int64_t C : {1, 8, 20, 33, 576, 4096}) {
    std::vector<float> x = random_floats(C, 1);
    for (float& v : x) v += 0.5f;
    const std::vector<float> weight = random_floats(C, 2), bias = random_floats(C, 3);
    double mean = 0, squares = 0, variance = 0;
    for (const float v : x) mean += v / static_cast<double>(C);
    for (const float v : x) squares += static_cast<double>(v) * v / static_cast<double>(C);
    for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(C);
    std::vector<float> rms(C), layer = x;
    table().rms_norm(x.data(), weight.data(), 1e-5f, rms.data(), C);
    table().layer_norm(layer.data(), weight.data(), bias.data(), 1e-5f, layer.data(), C);
    for (int64_t c = 0; c < C; ++c) {
      const double exact_rms = x[c] / std::sqrt(squares + 1e-5) * weight[c];
      EXPECT_NEAR(rms[c], exact_rms, 5e-7 * std::fabs(exact_rms));
      EXPECT_NEAR(layer[c], (x[c] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c], C == 1 ? 1e-3 : 4e-6);
    }
  }
}

TEST_P(RowsOfIsa, rotary_turns_each_pair_by_its_angle_and_leaves_the_rest) {
  const int64_t heads = 3, D = 20;
  for (const int64_t R : {2, 12, 20}) {
    for (const RotaryLayout layout : {RotaryLayout::kHalves, RotaryLayout::kInterleaved}) {
      const std::vector<float> x = random_floats(heads * D, 1);
      std::vector<float> y = x, cos, sin;
      for (int64_t i = 0; i < R / 2; ++i) {
        cos.push_back(std::cos(0.3f * static_cast<float>(i + 1)));
        sin.push_back(std::sin(0.3f * static_cast<float>(i + 1)));
      }
      table().rotary(y.data(), heads, D, R, cos.data(), sin.data(), layout);
      for (int64_t h = 0; h < heads; ++h) {
        for (int64_t i = 0; i < R / 2; ++i) {
          const int64_t a = h * D + (layout == RotaryLayout::kHalves ? i : 2 * i);
          const int64_t b = h * D + (layout == RotaryLayout::kHalves ? i + R / 2 : 2 * i + 1);
          EXPECT_NEAR(y[a], x[a] * cos[i] - x[b] * sin[i], 1e-6);
          EXPECT_NEAR(y[b], x[b] * cos[i] + x[a] * sin[i], 1e-6);
        }
        for (int64_t d = R; d < D; ++d) EXPECT_EQ(y[h * D + d], x[h * D + d]);
      }
    }
  }
}

TEST_P(RowsOfIsa, half_floats_convert_as_the_reference_does) {
  const int64_t count = 45;
  std::vector<float> x = random_floats(count, 1, 100), back(count), expected(count);
  x[3] = 1e6f;
  x[4] = 3e-7f;
  std::vector<uint16_t> half(count), reference(count);
  table().store_f16(x.data(), half.data(), count);
  quant::from_f32(DType::kF16, x.data(), reference.data(), count);
  EXPECT_EQ(half, reference);
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    table().widen(dtype, half.data(), back.data(), count);
    quant::to_f32(dtype, half.data(), expected.data(), count);
    EXPECT_EQ(std::memcmp(back.data(), expected.data(), count * sizeof(float)), 0);
  }
}

TEST_P(RowsOfIsa, cache_blocks_hold_values_within_half_a_step) {
  std::vector<float> x = random_floats(96, 1), back(96);
  std::fill_n(x.begin() + 32, 32, 0.0f);
  std::vector<uint8_t> bytes(row_bytes(DType::kQ8_0, 96));
  table().store_q8_0(x.data(), bytes.data(), 96);
  quant::to_f32(DType::kQ8_0, bytes.data(), back.data(), 96);
  for (int64_t i = 0; i < 96; ++i) EXPECT_NEAR(back[i], x[i], 4.0 / 127 * 0.51);
}

TEST_P(RowsOfIsa, log_sum_exp_matches_double) {
  for (const int64_t count : {1, 5, 1000, 49152}) {
    const std::vector<float> x = random_floats(count, 1, 10);
    double largest = x[0], sum = 0;
    for (const float v : x) largest = std::max<double>(largest, v);
    for (const float v : x) sum += std::exp(v - largest);
    const LogSumExp got = table().log_sum_exp(x.data(), count);
    EXPECT_EQ(got.max, largest);
    EXPECT_NEAR(got.log_sum, std::log(sum), 1e-7);
  }
}

TEST(RowDrivers, have_the_same_bits_for_any_number_of_threads) {
  const int64_t T = 64, C = 1000;
  const std::vector<float> x = random_floats(T * C, 1), weight = random_floats(C, 2);
  std::vector<float> one(T * C), three(T * C);
  for (const auto& function : {std::function<void(float*)>([&](float* y) { rms_norm(x.data(), C, weight.data(), 1e-5f, y, C, T, C); }),
                               std::function<void(float*)>([&](float* y) { activate(Activation::kSilu, x.data(), y, T * C); }),
                               std::function<void(float*)>([&](float* y) { soft_cap(x.data(), 30, y, T * C); })}) {
    set_num_threads(1);
    function(one.data());
    set_num_threads(3);
    function(three.data());
    EXPECT_EQ(one, three);
  }
  set_num_threads(available_cores());
}

}  // namespace
}  // namespace atelier::kernels
