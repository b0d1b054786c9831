#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"
#include "tests/support/kernel_tables.h"

namespace atelier::kernels {
namespace {

struct Case {
  DType dtype;
  int64_t T, N, K;
};

// A linear layer in memory of exactly its size, so that a sanitizer sees a read beyond it.
struct Problem {
  Case shape;
  std::vector<float> x, bias;
  std::vector<uint8_t> w;      // rows as a file has them
  std::vector<uint8_t> tiles;  // as kernels read them

  explicit Problem(const Case& c, uint32_t seed = 1) : shape(c), x(random_floats(c.T * c.K, seed)), bias(random_floats(c.N, seed + 1)) {
    set_weights(random_weights(c.dtype, c.N * c.K, seed + 2));
  }

  void set_weights(std::vector<uint8_t> rows) {
    w = std::move(rows);
    tiles = tiled(shape.dtype, w, shape.N, shape.K);
  }
  FloatRows rows(int64_t t, int64_t count) const { return {x.data() + t * shape.K, shape.K, count, shape.K}; }
  OutputBlock block(float* y) const {
    return {shape.dtype, tiles.data(), row_bytes(shape.dtype, shape.K), shape.N, bias.data(), y, shape.N};
  }
};

struct Quantized {
  std::vector<int8_t> q;
  std::vector<float> scale, offset32, offset16;
  std::vector<int32_t> sum32, sum16;
  QuantizedRows rows;

  Quantized(const KernelTable& table, const FloatRows& x)
      : q((x.T + kMoreRows) * x.K),
        scale((x.T + kMoreRows) * x.K / 32),
        offset32(scale.size()),
        offset16(2 * scale.size()),
        sum32(scale.size()),
        sum16(2 * scale.size()) {
    rows = {q.data(), scale.data(), sum32.data(), sum16.data(), offset32.data(), offset16.data(), x.T, x.K};
    table.quantize_rows(x, rows, 0, x.T);
  }
};

enum class Path { kF32, kBF16, kInt8 };

std::vector<float> compute(const KernelTable& table, Path path, const Problem& p, int64_t t, int64_t count) {
  std::vector<float> y(count * p.shape.N, NAN);
  std::vector<uint64_t> scratch(linear_scratch_bytes(p.shape.K) / 8, ~uint64_t{0});  // NaNs, as another call may leave
  if (path == Path::kF32) {
    table.linear_f32(p.rows(t, count), p.block(y.data()), scratch.data());
  } else if (path == Path::kBF16) {
    const int64_t width = bf16_width(p.shape.K);
    std::vector<uint16_t> rounded((count + kMoreRows) * width);
    table.round_rows(p.rows(t, count), rounded.data(), width, 0, count);
    table.linear_bf16({rounded.data(), width, count, p.shape.K}, p.block(y.data()), scratch.data());
  } else {
    table.linear_int8(Quantized(table, p.rows(t, count)).rows, p.block(y.data()), scratch.data());
  }
  return y;
}

// Sum of |x w|: what a rounding error is relative to.
double magnitude(const Problem& p, const std::vector<float>& w, int64_t t, int64_t n) {
  double sum = std::fabs(p.bias[n]);
  for (int64_t k = 0; k < p.shape.K; ++k) sum += std::fabs(static_cast<double>(p.x[t * p.shape.K + k]) * w[n * p.shape.K + k]);
  return sum;
}

void expect_near_exact(const KernelTable& table, const Case& c) {
  SCOPED_TRACE(std::string(dtype_name(c.dtype)) + " T " + std::to_string(c.T) + " N " + std::to_string(c.N) + " K " + std::to_string(c.K));
  const Problem p(c);
  std::vector<float> w(c.N * c.K);
  quant::to_f32(c.dtype, p.w.data(), w.data(), c.N * c.K);
  const std::vector<float> y = compute(table, Path::kF32, p, 0, c.T);
  for (int64_t t = 0; t < c.T; ++t) {
    for (int64_t n = 0; n < c.N; ++n) {
      double exact = p.bias[n];
      for (int64_t k = 0; k < c.K; ++k) exact += static_cast<double>(p.x[t * c.K + k]) * w[n * c.K + k];
      ASSERT_NEAR(y[t * c.N + n], exact, 2e-6 * magnitude(p, w, t, n)) << "t " << t << " n " << n;
    }
  }
}

void expect_near_scalar_int8(const KernelTable& table, const Case& c) {
  SCOPED_TRACE(std::string(dtype_name(c.dtype)) + " T " + std::to_string(c.T) + " N " + std::to_string(c.N) + " K " + std::to_string(c.K));
  const Problem p(c);
  std::vector<float> w(c.N * c.K);
  quant::to_f32(c.dtype, p.w.data(), w.data(), c.N * c.K);
  const std::vector<float> expected = compute(kernel_table(Isa::kScalar), Path::kInt8, p, 0, c.T);
  const std::vector<float> y = compute(table, Path::kInt8, p, 0, c.T);
  for (int64_t i = 0; i < c.T * c.N; ++i) ASSERT_NEAR(y[i], expected[i], 5e-6 * magnitude(p, w, i / c.N, i % c.N)) << "at " << i;
}

class LinearOfIsa : public testing::TestWithParam<NamedTable> {
 protected:
  const KernelTable& table() const { return *GetParam().table; }
};
INSTANTIATE_TEST_SUITE_P(Simd, LinearOfIsa, testing::ValuesIn(simd_tables()), name_of);

TEST_P(LinearOfIsa, float_products_are_exact_within_rounding) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const int64_t K : {1, 8, 16, 20, 48, 64, 577, 768, 1000, 1600}) expect_near_exact(table(), {dtype, 5, 7, K});
    expect_near_exact(table(), {dtype, 1, 37, 100});
    expect_near_exact(table(), {dtype, 13, 1, 100});
  }
}

TEST_P(LinearOfIsa, float_products_of_block_types_are_exact_within_rounding) {
  for (const DType dtype : kBlockTypes) expect_near_exact(table(), {dtype, 2, 21, 768});
}

TEST_P(LinearOfIsa, block_types_widen_to_the_bits_of_the_reference) {
  for (const DType dtype : kBlockTypes) {
    const int64_t K = 512, N = 19;
    Problem p({dtype, K, N, K});
    p.bias.assign(N, 0);
    p.x.assign(K * K, 0);
    for (int64_t k = 0; k < K; ++k) p.x[k * K + k] = 1;  // each row picks one input's weights
    std::vector<float> w(N * K);
    quant::to_f32(dtype, p.w.data(), w.data(), N * K);
    const std::vector<float> y = compute(table(), Path::kF32, p, 0, K);
    for (int64_t n = 0; n < N; ++n) {
      for (int64_t k = 0; k < K; ++k) ASSERT_EQ(y[k * N + n], w[n * K + k]) << dtype_name(dtype) << " n " << n << " k " << k;
    }
  }
}

TEST_P(LinearOfIsa, rows_of_a_tile_widen_to_the_bits_of_the_reference) {
  for (const DType dtype : kBlockTypes) {
    const int64_t K = 3 * 256;
    const Problem p({dtype, 1, quant::kTileRows, K});
    std::vector<float> w(quant::kTileRows * K);
    quant::to_f32(dtype, p.w.data(), w.data(), quant::kTileRows * K);
    std::vector<uint64_t> scratch(linear_scratch_bytes(K) / 8, ~uint64_t{0});
    for (const auto& [begin, end] : {std::pair{0, 16}, {3, 16}, {0, 5}, {7, 9}}) {
      std::vector<float> rows((end - begin) * K, NAN);  // exactly its size, so that a sanitizer sees a write beyond it
      table().widen_tile(dtype, p.tiles.data(), begin, end, K, rows.data(), scratch.data());
      for (int64_t i = 0; i < (end - begin) * K; ++i) ASSERT_EQ(rows[i], w[begin * K + i]) << dtype_name(dtype) << " from " << begin;
    }
  }
}

TEST_P(LinearOfIsa, integer_products_agree_with_the_scalar_twin) {
  for (const DType dtype : kBlockTypes) {
    for (const int64_t N : {1, 8, 21, 64}) expect_near_scalar_int8(table(), {dtype, 6, N, 512});
    if (dtype_info(dtype).block_size == 32) expect_near_scalar_int8(table(), {dtype, 3, 9, 32 * 7});
    expect_near_scalar_int8(table(), {dtype, 7, 40, 5 * 256});  // several chunks, the last one shorter
  }
}

TEST_P(LinearOfIsa, integer_products_do_not_saturate_at_the_ends_of_the_range) {
  for (const DType dtype : kBlockTypes) {
    Problem p({dtype, 2, 8, 512});
    for (size_t i = 0; i < p.x.size(); ++i) p.x[i] = i < 512 ? 1.0f : (i % 2 ? -1.0f : 1.0f);  // quants of +-127
    for (uint8_t fill : {0x00, 0x80, 0xff}) {
      std::vector<uint8_t> extreme(p.w.size(), fill);
      for (size_t at = 0; at < extreme.size(); at += dtype_info(dtype).block_bytes) {
        for (const int offset : half_offsets(dtype)) std::memcpy(&extreme[at + offset], &p.w[at + offset], 2);
      }
      p.set_weights(std::move(extreme));
      const std::vector<float> expected = compute(kernel_table(Isa::kScalar), Path::kInt8, p, 0, 2);
      const std::vector<float> y = compute(table(), Path::kInt8, p, 0, 2);
      std::vector<float> w(8 * 512);
      quant::to_f32(dtype, p.w.data(), w.data(), 8 * 512);
      for (int64_t i = 0; i < 16; ++i) ASSERT_NEAR(y[i], expected[i], 2e-5 * magnitude(p, w, i / 8, i % 8)) << dtype_name(dtype);
    }
  }
}

class Bf16LinearOfIsa : public LinearOfIsa {};
std::vector<NamedTable> bf16_tables() {
  std::vector<NamedTable> tables = simd_tables();
  std::erase_if(tables, [](const NamedTable& named) { return named.table->linear_bf16 == nullptr; });
  return tables;
}
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Bf16LinearOfIsa);
INSTANTIATE_TEST_SUITE_P(Simd, Bf16LinearOfIsa, testing::ValuesIn(bf16_tables()), name_of);

TEST_P(Bf16LinearOfIsa, products_are_those_of_the_rounded_activations) {
  for (const int64_t K : {16, 20, 64, 577, 3100}) {
    const Problem p({DType::kBF16, 8, 11, K});
    std::vector<float> w(11 * K);
    quant::to_f32(DType::kBF16, p.w.data(), w.data(), 11 * K);
    const std::vector<float> y = compute(table(), Path::kBF16, p, 0, 8);
    for (int64_t i = 0; i < 8 * 11; ++i) {
      const int64_t t = i / 11, n = i % 11;
      double exact = p.bias[n];
      for (int64_t k = 0; k < K; ++k) exact += static_cast<double>(bf16_to_f32(f32_to_bf16(p.x[t * K + k]))) * w[n * K + k];
      ASSERT_NEAR(y[i], exact, 2e-6 * magnitude(p, w, t, n)) << "K " << K;
    }
  }
}

TEST_P(Bf16LinearOfIsa, float32_weights_are_those_rounded_to_bfloat16) {
  for (const int64_t T : {1, 3, 6, 30}) {
    const Problem p({DType::kF32, T, 45, 333});
    Problem rounded = p;
    rounded.shape.dtype = DType::kBF16;
    std::vector<uint8_t> weights(45 * 333 * 2);
    for (int64_t i = 0; i < 45 * 333; ++i) {
      float weight;
      std::memcpy(&weight, p.w.data() + 4 * i, sizeof weight);
      const uint16_t bits = f32_to_bf16(weight);
      std::memcpy(weights.data() + 2 * i, &bits, sizeof bits);
    }
    rounded.set_weights(std::move(weights));
    EXPECT_EQ(compute(table(), Path::kBF16, p, 0, T), compute(table(), Path::kBF16, rounded, 0, T)) << "T " << T;
  }
}

TEST_P(LinearOfIsa, a_row_has_the_same_bits_alone_and_among_others) {
  std::vector<Case> cases;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const int64_t K : {20, 576, 1543}) cases.push_back({dtype, 17, 11, K});
    cases.push_back({dtype, 17, 45, 333});
  }
  for (const DType dtype : kBlockTypes) cases.push_back({dtype, 17, 27, 512});
  for (const Case& c : cases) {
    const Problem p(c);
    for (const Path path : {Path::kF32, Path::kBF16, Path::kInt8}) {
      if (path == Path::kInt8 && !is_quantized(c.dtype)) continue;
      if (path == Path::kBF16 && (c.dtype != DType::kBF16 || !table().linear_bf16)) continue;
      std::vector<float> alone(c.T * c.N);
      for (int64_t t = 0; t < c.T; ++t) {
        const std::vector<float> row = compute(table(), path, p, t, 1);
        std::copy(row.begin(), row.end(), alone.begin() + t * c.N);
      }
      for (int64_t count = 2; count <= c.T; ++count) {
        for (const int64_t first : {int64_t{0}, c.T - count}) {
          const std::vector<float> y = compute(table(), path, p, first, count);
          ASSERT_EQ(std::memcmp(y.data(), alone.data() + first * c.N, y.size() * sizeof(float)), 0)
              << dtype_name(c.dtype) << " K " << c.K << " rows " << first << " + " << count;
        }
      }
    }
  }
}

TEST_P(LinearOfIsa, quantized_rows_hold_the_nearest_integers_and_their_sums) {
  const int64_t T = 3, K = 96;
  std::vector<float> x = random_floats(T * K, 5);
  std::fill_n(x.begin() + 32, 32, 0.0f);
  const Quantized got(table(), {x.data(), K, T, K});
  for (int64_t b = 0; b < T * K / 32; ++b) {
    float largest = 0;
    int sums[2] = {};
    for (int64_t k = 0; k < 32; ++k) largest = std::max(largest, std::fabs(x[b * 32 + k]));
    EXPECT_FLOAT_EQ(got.scale[b], largest / 127);
    for (int64_t k = 0; k < 32; ++k) {
      EXPECT_NEAR(got.q[b * 32 + k] * got.scale[b], x[b * 32 + k], got.scale[b] * 0.5001f);
      sums[k / 16] += got.q[b * 32 + k];
    }
    EXPECT_EQ(got.sum16[2 * b], sums[0]);
    EXPECT_EQ(got.sum16[2 * b + 1], sums[1]);
    EXPECT_EQ(got.sum32[b], sums[0] + sums[1]);
    EXPECT_FLOAT_EQ(got.offset16[2 * b], got.scale[b] * static_cast<float>(sums[0]));
    EXPECT_FLOAT_EQ(got.offset16[2 * b + 1], got.scale[b] * static_cast<float>(sums[1]));
    EXPECT_FLOAT_EQ(got.offset32[b], got.scale[b] * static_cast<float>(sums[0] + sums[1]));
  }
}

TEST_P(LinearOfIsa, a_nan_or_infinite_activation_is_not_lost_in_quantization) {
  for (const float bad : {NAN, INFINITY}) {
    Problem p({DType::kQ8_0, 2, 3, 64});
    p.x[40] = bad;
    const std::vector<float> y = compute(table(), Path::kInt8, p, 0, 2);
    for (int64_t n = 0; n < 3; ++n) {
      EXPECT_FALSE(std::isfinite(y[n]));
      EXPECT_TRUE(std::isfinite(y[3 + n])) << "another row";
    }
  }
}

// Through the drivers, on what `linear` of this machine uses.
class Threads : public testing::Test {
 protected:
  ~Threads() override { set_num_threads(available_cores()); }
};
using LinearDriver = Threads;

TEST_F(LinearDriver, has_the_same_bits_for_any_grouping_and_number_of_threads) {
  const int64_t T = 9, K = 256;
  const std::vector<float> x = random_floats(T * K, 1);
  const DType dtypes[] = {DType::kQ4_1, DType::kQ6_K, DType::kF16, DType::kBF16};
  for (const Compute compute : {Compute::kF32, Compute::kBF16, Compute::kInt8}) {
    std::vector<std::vector<uint8_t>> weights;
    std::vector<std::vector<float>> grouped, single;
    std::vector<Linear> group;
    for (const DType dtype : dtypes) {
      const int64_t N = 40 + 33 * static_cast<int64_t>(group.size());
      weights.push_back(tiled(dtype, random_weights(dtype, N * K, 3), N, K));
      grouped.emplace_back(T * N);
      single.emplace_back(T * N);
      group.push_back({dtype, weights.back().data(), N, nullptr, grouped.back().data(), N});
    }
    set_num_threads(3);
    linear(group, {x.data(), K}, T, K, compute);
    set_num_threads(1);
    for (size_t i = 0; i < group.size(); ++i) {
      for (int64_t t = 0; t < T; ++t) {
        Linear one = group[i];
        one.y = single[i].data() + t * one.ldy;
        linear({&one, 1}, {x.data() + t * K, K}, 1, K, compute);
      }
      EXPECT_EQ(std::memcmp(single[i].data(), grouped[i].data(), single[i].size() * sizeof(float)), 0) << dtype_name(dtypes[i]);
    }
  }
}

// Makes the rows of `input` [T, K] with the functions that LinearInput names.
std::vector<float> made_rows(const LinearInput& input, int64_t T, int64_t K) {
  std::vector<float> rows(static_cast<size_t>(T * K));
  switch (input.kind) {
    case LinearInput::Kind::kRows:
      std::copy_n(input.x, T * K, rows.data());
      break;
    case LinearInput::Kind::kRmsNorm:
      rms_norm(input.x, K, input.weight, input.eps, rows.data(), K, T, K);
      break;
    case LinearInput::Kind::kLayerNorm:
      layer_norm(input.x, K, input.weight, input.bias, input.eps, rows.data(), K, T, K);
      break;
    case LinearInput::Kind::kActivate:
      activate(input.activation, input.x, rows.data(), T * K);
      break;
    case LinearInput::Kind::kGatedActivate:
      gated_activate(input.activation, input.x, input.up, rows.data(), T * K);
      break;
  }
  return rows;
}

TEST_F(LinearDriver, makes_rows_and_adds_to_residuals_with_the_bits_of_passes_of_their_own) {
  const int64_t K = 288, N = 70;
  for (const int64_t T : {1, 5, 300}) {  // more rows than one unit has
    const std::vector<float> x = random_floats(T * K, 1), up = random_floats(T * K, 2), weight = random_floats(K, 3),
                             bias = random_floats(K, 4);
    const std::vector<float> residual = random_floats(T * N, 5), output_bias = random_floats(N, 6);
    const LinearInput inputs[] = {
        {x.data(), K},
        {x.data(), K, LinearInput::Kind::kRmsNorm, weight.data(), nullptr, 1e-5f},
        {x.data(), K, LinearInput::Kind::kLayerNorm, weight.data(), bias.data(), 1e-5f},
        {.x = x.data(), .ldx = K, .kind = LinearInput::Kind::kActivate, .activation = Activation::kGelu},
        {.x = x.data(), .ldx = K, .kind = LinearInput::Kind::kGatedActivate, .activation = Activation::kSilu, .up = up.data()}};
    const std::pair<DType, Compute> products[] = {
        {DType::kQ4_1, Compute::kInt8}, {DType::kQ4_1, Compute::kF32}, {DType::kBF16, Compute::kBF16}, {DType::kF32, Compute::kF32}};
    for (const auto& [dtype, compute] : products) {
      const std::vector<uint8_t> raw = random_weights(dtype, N * K, 7), w = is_quantized(dtype) ? tiled(dtype, raw, N, K) : raw;
      for (const LinearInput& input : inputs) {
        const std::vector<float> rows = made_rows(input, T, K);
        std::vector<float> expected(static_cast<size_t>(T * N)), y = residual;
        const Linear apart = {dtype, w.data(), N, output_bias.data(), expected.data(), N};
        linear({&apart, 1}, {rows.data(), K}, T, K, compute);
        add(residual.data(), expected.data(), expected.data(), T * N);
        const Linear together = {dtype, w.data(), N, output_bias.data(), y.data(), N, true};
        linear({&together, 1}, input, T, K, compute);
        EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)), 0)
            << dtype_name(dtype) << ", kind " << static_cast<int>(input.kind) << ", " << T << " rows";
      }
    }
  }
}

TEST_F(LinearDriver, bfloat16_products_are_those_of_float32_where_the_isa_has_none) {
  const int64_t T = 3, N = 9, K = 100;
  const std::vector<float> x = random_floats(T * K, 1);
  const std::vector<uint8_t> w = random_weights(DType::kBF16, N * K, 2);
  const std::string before = isa_name(current_isa());
  for (const Isa isa : supported_isas()) {
    if (kernel_table(isa).linear_bf16) continue;
    ASSERT_TRUE(force_isa(isa_name(isa)).ok());
    std::vector<float> y[2] = {std::vector<float>(T * N), std::vector<float>(T * N)};
    for (const Compute compute : {Compute::kF32, Compute::kBF16}) {
      const Linear one = {DType::kBF16, w.data(), N, nullptr, y[compute == Compute::kBF16].data(), N};
      linear({&one, 1}, {x.data(), K}, T, K, compute);
    }
    EXPECT_EQ(std::memcmp(y[0].data(), y[1].data(), y[0].size() * sizeof(float)), 0) << isa_name(isa);
  }
  ASSERT_TRUE(force_isa(before).ok());
}

TEST_F(LinearDriver, strides_of_input_and_output_are_kept) {
  const int64_t T = 4, K = 32, N = 5, ldx = 40, ldy = 9;
  const std::vector<float> x = random_floats(T * ldx, 1);
  const std::vector<uint8_t> w = random_weights(DType::kF32, N * K, 2);
  std::vector<float> y(T * ldy, -7.0f);
  const Linear one = {DType::kF32, w.data(), N, nullptr, y.data(), ldy};
  linear({&one, 1}, {x.data(), ldx}, T, K, Compute::kF32);
  const float* weights = reinterpret_cast<const float*>(w.data());
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t n = 0; n < ldy; ++n) {
      if (n >= N) {
        EXPECT_EQ(y[t * ldy + n], -7.0f);
        continue;
      }
      double exact = 0;
      for (int64_t k = 0; k < K; ++k) exact += static_cast<double>(x[t * ldx + k]) * weights[n * K + k];
      EXPECT_NEAR(y[t * ldy + n], exact, 1e-5);
    }
  }
}

}  // namespace
}  // namespace atelier::kernels
