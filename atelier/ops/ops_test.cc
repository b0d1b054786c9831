// Worked examples and error texts of the ops; the arithmetic itself is compared with scalar twins in kernels/.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/kernels/kv_tile.h"
#include "atelier/ops/attention.h"
#include "atelier/ops/elementwise.h"
#include "atelier/ops/embedding.h"
#include "atelier/ops/linear.h"
#include "atelier/ops/norm.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace atelier::ops {
namespace {

Tensor make(Shape shape, const std::vector<float>& values) {
  Tensor out = Tensor::zeros(DType::kF32, shape);
  std::copy(values.begin(), values.end(), out.f32());
  return out;
}

Tensor packed(DType dtype, const Tensor& x) {
  Tensor out = Tensor::zeros(dtype, x.shape());
  quant::from_f32(dtype, x.f32(), out.mutable_data(), x.count());
  return out;
}

// At most sixteen rows.
Tensor tiled(const Tensor& rows) {
  const int64_t N = rows.dim(0), K = rows.dim(1);
  Tensor memory = Tensor::zeros(DType::kF32, {quant::tiled_bytes(rows.dtype(), N, K) / 4});
  quant::pack_tile(rows.dtype(), static_cast<const uint8_t*>(rows.data()), N, K, static_cast<uint8_t*>(memory.mutable_data()));
  return Tensor::view(rows.dtype(), rows.shape(), memory.data(), std::make_shared<Tensor>(memory), TensorLayout::kTiles);
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Ops : public testing::Test {
 protected:
  Arena arena_;
  Context context_{arena_};
};

TEST_F(Ops, linear_is_a_matrix_product_with_bias) {
  const Tensor x = make({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor weight = make({2, 3}, {1, 0, -1, 2, 1, 0});
  const Tensor y = linear(context_, x, weight, make({2}, {10, 20}));
  EXPECT_EQ(std::vector<float>(y.f32(), y.f32() + 4), (std::vector<float>{8, 24, 8, 33}));
}

TEST_F(Ops, linear_refuses_block_types_in_rows) {
  const Tensor x = make({1, 32}, std::vector<float>(32, 1.0f));
  const Tensor weight = packed(DType::kQ8_0, make({2, 32}, std::vector<float>(64, 1.0f)));
  EXPECT_THROW(linear(context_, x, weight), DTypeError);
}

TEST_F(Ops, embedding_of_a_tiled_table_equals_that_of_its_rows) {
  std::vector<float> values(5 * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const Tensor table = packed(DType::kQ5_1, make({5, 64}, values));
  const std::vector<int32_t> ids = {4, 0, 2, 4};
  const Tensor rows = embedding(context_, table, ids), tiles = embedding(context_, tiled(table), ids);
  EXPECT_EQ(std::memcmp(rows.f32(), tiles.f32(), static_cast<size_t>(rows.num_bytes())), 0);
}

TEST_F(Ops, a_group_equals_its_members_even_when_types_are_mixed) {
  std::vector<float> values(3 * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const Tensor x = make({3, 64}, values);
  const Tensor a = make({3, 64}, values);
  const Tensor b = tiled(packed(DType::kQ8_0, a)), c = packed(DType::kBF16, a);
  Tensor ya, yb, yc;
  const LinearArgs group[] = {{&a, nullptr, &ya}, {&b, nullptr, &yb}, {&c, nullptr, &yc}};
  linear_group(context_, x, group);
  const Tensor* weights[] = {&a, &b, &c};
  const Tensor* together[] = {&ya, &yb, &yc};
  for (int i = 0; i < 3; ++i) {
    const Tensor alone = linear(context_, x, *weights[i]);
    for (int64_t n = 0; n < alone.count(); ++n) EXPECT_EQ(alone.f32()[n], together[i]->f32()[n]);
    for (int64_t n = 0; n < alone.count(); ++n) EXPECT_NEAR(alone.f32()[n], ya.f32()[n], 0.6);
  }
}

TEST_F(Ops, linear_names_both_shapes_when_they_disagree) {
  EXPECT_EQ(message_of([&] { linear(context_, make({4, 8}, {}), make({16, 9}, {})); }), "[linear] x is [4, 8], weight is [16, 9]");
}

TEST_F(Ops, rms_norm_of_equal_values_is_the_weight) {  // x / sqrt(mean(x^2)) = 1
  const Tensor y = rms_norm(context_, make({1, 4}, {3, 3, 3, 3}), make({4}, {1, 2, 3, 4}), 0);
  for (int i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(y.f32()[i], static_cast<float>(i + 1));
  EXPECT_EQ(message_of([&] { rms_norm(context_, make({2, 8}, {}), make({16}, {}), 0); }), "[rms_norm] x is [2, 8], weight is [16]");
}

TEST_F(Ops, layer_norm_is_invariant_to_a_constant_shift) {
  const Tensor weight = make({4}, {1, 1, 2, 2}), bias = make({4}, {0, 1, 0, 1});
  const Tensor a = layer_norm(context_, make({1, 4}, {1, 2, 3, 4}), weight, bias, 1e-5f);
  const Tensor b = layer_norm(context_, make({1, 4}, {101, 102, 103, 104}), weight, bias, 1e-5f);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(a.f32()[i], b.f32()[i], 1e-4);
}

TEST_F(Ops, embedding_widens_rows_and_refuses_ids_outside_the_table) {
  const Tensor table = packed(DType::kF16, make({3, 2}, {1, 2, 3, 4, 5, 6}));
  const int32_t ids[] = {2, 0};
  const Tensor y = embedding(context_, table, ids);
  EXPECT_EQ(y.f32()[0], 5);
  EXPECT_EQ(y.f32()[3], 2);
  const int32_t bad[] = {3};
  EXPECT_THROW(static_cast<void>(embedding(context_, table, bad)), ShapeError);
}

TEST_F(Ops, soft_cap_and_gate_match_their_formulas) {
  Tensor x = make({1, 2}, {100, -3});
  soft_cap_inplace(context_, x, 30);
  EXPECT_NEAR(x.f32()[0], 30 * std::tanh(100.0 / 30), 1e-4);
  const Tensor y = gated_activate(context_, kernels::Activation::kSilu, make({1, 1}, {2}), make({1, 1}, {5}));
  EXPECT_NEAR(y.f32()[0], 5 * 2 / (1 + std::exp(-2.0)), 1e-5);
}

TEST_F(Ops, attention_over_one_key_returns_its_value) {
  const std::vector<float> k = {1, 2, 3, 4}, v = {5, 6, 7, 8};
  const kernels::AttentionShape shape{.num_heads = 2, .num_kv_heads = 1, .head_dim = 4, .scale = 0.5f};
  std::vector<uint8_t> page(2 * kernels::kv_tile_bytes(DType::kF32, 4));
  uint8_t* const pages[] = {page.data()};
  const kernels::KvView kv = {DType::kF32, pages, 0};
  kernels::store_kv(kv, 1, 4, 0, k.data(), v.data(), 1);
  const kernels::AttentionRun run{.first_row = 0, .num_rows = 1, .first_position = 0, .kv = kv};
  const Tensor out = attention(context_, shape, std::span(&run, 1), make({1, 8}, {1, 1, 1, 1, 9, 9, 9, 9}));
  for (int i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(out.f32()[i], v[static_cast<size_t>(i % 4)]);
  EXPECT_THROW(static_cast<void>(attention(context_, shape, std::span(&run, 1), make({1, 7}, {}))), ShapeError);
}

TEST_F(Ops, rotary_keeps_lengths_and_makes_scores_depend_on_distance_only) {
  const int64_t P = 64;
  Tensor cos = Tensor::zeros(DType::kF32, {P, 2}), sin = Tensor::zeros(DType::kF32, {P, 2});
  for (int64_t p = 0; p < P; ++p) {
    for (int64_t i = 0; i < 2; ++i) {
      const double angle = static_cast<double>(p) * (i == 0 ? 1.0 : 0.1);
      cos.f32()[p * 2 + i] = static_cast<float>(std::cos(angle));
      sin.f32()[p * 2 + i] = static_cast<float>(std::sin(angle));
    }
  }
  for (const auto layout : {kernels::RotaryLayout::kHalves, kernels::RotaryLayout::kInterleaved}) {
    const auto score = [&](int32_t query, int32_t key) {
      Tensor x = make({2, 4}, {1, 2, 3, 4, 4, -3, 2, 1});
      const int32_t positions[] = {query, key};
      rotary_inplace(context_, x, 1, positions, cos, sin, layout);
      double dot = 0;
      for (int i = 0; i < 4; ++i) dot += static_cast<double>(x.f32()[i]) * x.f32()[4 + i];
      return dot;
    };
    EXPECT_NEAR(score(7, 3), score(47, 43), 1e-4);
    EXPECT_GT(std::abs(score(7, 3) - score(7, 6)), 1e-3);
  }
}

}  // namespace
}  // namespace atelier::ops
