#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "atelier/kernels/kv_tile.h"
#include "atelier/parallel/parallel.h"
#include "tests/support/kernel_tables.h"

namespace atelier::kernels {
namespace {

struct Config {
  DType dtype;
  int64_t heads, kv_heads, head_dim, length;
  float soft_cap = 0;
  int64_t window = 0;
  bool has_alibi = false;
  int64_t prefix = 0;
  int64_t reach = 0;  // of a relative bias; 0: none
};

constexpr Config kConfigs[] = {
    {DType::kF32, 1, 1, 8, 1},
    {DType::kF32, 4, 4, 16, 130},
    {DType::kF16, 9, 3, 64, 200},
    {DType::kF16, 5, 1, 20, 65},
    {DType::kF32, 2, 1, 80, 64, 0, 0, true},
    {DType::kF16, 4, 2, 32, 150, 5.0f, 37},
    {DType::kQ8_0, 4, 2, 64, 100, 0, 64},
    {DType::kF16, 8, 1, 256, 70, 30.0f, 0, true},
    {DType::kF16, 3, 1, 24, 570},
    {DType::kQ8_0, 1, 1, 32, 1090, 0, 530, true},
    {DType::kF16, 2, 2, 128, 131},
    {DType::kF32, 3, 3, 16, 1, 0, 0, false, 1},
    {DType::kF32, 4, 4, 32, 150, 0, 0, false, 150},
    {DType::kF16, 2, 1, 24, 540, 0, 0, false, 540},
    {DType::kF16, 2, 1, 32, 90, 0, 0, false, 70},
    {DType::kF32, 2, 1, 40, 200, 3.0f, 50, false, 97},
    {DType::kF32, 4, 4, 16, 150, 0, 0, false, 150, 20},
    {DType::kF16, 6, 2, 32, 600, 2.0f, 0, false, 0, 128},
    {DType::kQ8_0, 2, 2, 64, 90, 0, 0, false, 70, 31},
};

// A sequence whose keys and values are in pages that lie anywhere; beyond the last token they hold NaN, which nothing may read into a
// result.
struct Sequence {
  Config c;
  AttentionShape shape;
  std::vector<float> q, k, v, slopes, biases;  // k and v as they are read back from the cache
  std::vector<std::vector<uint8_t>> memory;
  std::vector<uint8_t*> pages;
  KvView kv;

  explicit Sequence(const Config& config) : c(config) {
    const int64_t kv_width = c.kv_heads * c.head_dim, part = c.kv_heads * kv_tile_bytes(c.dtype, c.head_dim);
    constexpr int64_t kOtherLayers = 192;  // bytes of a page before this layer's
    q = random_floats(c.length * c.heads * c.head_dim, 1);
    k = random_floats(c.length * kv_width, 2);
    v = random_floats(c.length * kv_width, 3);
    for (int64_t s = 0; s < c.length + kKeyTile; s += kKeyTile) memory.emplace_back(kOtherLayers + 2 * part, 0xff);
    for (auto& page : memory) pages.push_back(page.data());
    kv = {c.dtype, pages.data(), kOtherLayers};
    store_kv(kv, c.kv_heads, c.head_dim, 0, k.data(), v.data(), c.length);
    for (int64_t s = 0; s < c.length; ++s) {
      for (int64_t g = 0; g < c.kv_heads; ++g) {
        const int64_t at = (s * c.kv_heads + g) * c.head_dim;
        load_kv(kv, g, c.head_dim, s, &k[at], &v[at]);
      }
    }
    for (int64_t h = 0; h < c.heads; ++h) slopes.push_back(1.0f / static_cast<float>(2 << h));
    biases = random_floats(c.heads * (2 * c.reach + 1), 4);
    shape = {c.heads, c.kv_heads, c.head_dim, 0.3f, c.soft_cap, c.window, c.has_alibi ? slopes.data() : nullptr};
    if (c.reach > 0) shape.relative_bias = biases.data(), shape.reach = c.reach;
  }

  int64_t width() const { return c.heads * c.head_dim; }
  AttentionRun run(int64_t first_row, int64_t rows, int64_t first_position) const {
    return {first_row, rows, first_position, kv, c.prefix};
  }
  int64_t end_of_keys(int64_t position) const { return std::max(position + 1, c.prefix); }

  // Softmax over all visible keys at once, in double.
  std::vector<double> exact(int64_t position, int64_t head) const {
    const int64_t g = head / (c.heads / c.kv_heads), kv_width = c.kv_heads * c.head_dim;
    std::vector<double> out(c.head_dim, 0.0);
    double total = 0;
    for (int64_t s = c.window > 0 ? std::max<int64_t>(0, position - c.window + 1) : 0; s < end_of_keys(position); ++s) {
      double score = 0;
      for (int64_t d = 0; d < c.head_dim; ++d) {
        score += static_cast<double>(q[position * width() + head * c.head_dim + d]) * k[s * kv_width + g * c.head_dim + d];
      }
      score *= shape.scale;
      if (c.soft_cap > 0) score = c.soft_cap * std::tanh(score / c.soft_cap);
      if (c.has_alibi) score += slopes[head] * static_cast<double>(s - position);
      if (c.reach > 0) score += biases[head * (2 * c.reach + 1) + c.reach + std::clamp(s - position, -c.reach, c.reach)];
      total += std::exp(score);
      for (int64_t d = 0; d < c.head_dim; ++d) out[d] += std::exp(score) * v[s * kv_width + g * c.head_dim + d];
    }
    for (double& o : out) o /= total;
    return out;
  }
};

using Attend = decltype(KernelTable::attention_f32);

class AttentionOfIsa : public testing::TestWithParam<NamedTable> {
 protected:
  // Rows [first, first + count) in blocks of `block_rows`, straight from the table.
  std::vector<float> attend(Attend function, const Sequence& s, int64_t first, int64_t count, int64_t block_rows) const {
    std::vector<float> out(count * s.width(), NAN);
    const int64_t group = s.c.heads / s.c.kv_heads, width = attention_width(s.c.head_dim), queries = block_rows * group;
    std::vector<float> scratch(attention_scratch_floats(s.c.head_dim, queries)), part(queries * (width + 2));
    for (int64_t t = 0; t < count; t += block_rows) {
      for (int64_t g = 0; g < s.c.kv_heads; ++g) {
        AttentionBlock block;
        block.num_heads = group;
        block.num_rows = std::min(block_rows, count - t);
        block.q = s.q.data() + (first + t) * s.width() + g * group * s.c.head_dim;
        block.out = out.data() + t * s.width() + g * group * s.c.head_dim;
        block.ldq = block.ldo = s.width();
        block.first_position = first + t;
        block.prefix = s.c.prefix;
        block.dtype = s.c.dtype;
        block.pages = s.kv.pages;
        block.tile_bytes = kv_tile_bytes(s.c.dtype, s.c.head_dim);
        block.offset = s.kv.offset + g * 2 * block.tile_bytes;
        block.alibi_slopes = s.c.has_alibi ? s.slopes.data() + g * group : nullptr;
        block.relative_bias = s.c.reach > 0 ? s.biases.data() + g * group * (2 * s.c.reach + 1) : nullptr;
        std::vector<float> whole(queries * width, 0.0f), largest(queries, -INFINITY), totals(queries, 0.0f);
        const AttentionSums sums = {whole.data(), largest.data(), totals.data(), width};
        const AttentionSums of_span = {part.data(), part.data() + queries * width, part.data() + queries * (width + 1), width};
        for (int64_t span = 0; span * kKeySpan < s.end_of_keys(first + t + block.num_rows - 1); ++span) {
          function(s.shape, block, span, of_span, scratch.data());
          GetParam().table->attention_fold(of_span, block.num_rows * group, sums);
        }
        GetParam().table->attention_write(s.shape, block, sums);
      }
    }
    return out;
  }
  // The largest error of any output against the exact softmax.
  double largest_error(Attend function, const Sequence& s) const {
    const std::vector<float> out = attend(function, s, 0, s.c.length, 32);
    double largest = 0;
    for (int64_t t = 0; t < s.c.length; t += t < 4 ? 1 : 13) {
      for (int64_t h = 0; h < s.c.heads; ++h) {
        const std::vector<double> exact = s.exact(t, h);
        for (int64_t d = 0; d < s.c.head_dim; ++d) {
          const double error = std::abs(out[t * s.width() + h * s.c.head_dim + d] - exact[d]);
          if (!(error <= largest)) largest = error;  // NaN stays
        }
      }
    }
    return largest;
  }
  void expect_same_bits_in_any_blocks(Attend function) const {
    for (const Config& config : kConfigs) {
      const Sequence s(config);
      const std::vector<float> whole = attend(function, s, 0, config.length, 64);
      for (const int64_t rows : {1, 3, 7}) {
        const std::vector<float> cut = attend(function, s, 0, config.length, rows);
        ASSERT_EQ(std::memcmp(cut.data(), whole.data(), whole.size() * sizeof(float)), 0)
            << dtype_name(config.dtype) << " D " << config.head_dim << " rows " << rows;
      }
    }
  }
};

// One of the rungs that share a function is enough.
std::vector<NamedTable> f32_tables() {
  std::vector<NamedTable> tables = {{"scalar", &kernel_table(Isa::kScalar)}};
  for (const NamedTable& named : simd_tables()) {
    const auto is_same = [&](const NamedTable& other) { return other.table->attention_f32 == named.table->attention_f32; };
    if (std::none_of(tables.begin(), tables.end(), is_same)) tables.push_back(named);
  }
  return tables;
}
INSTANTIATE_TEST_SUITE_P(Tables, AttentionOfIsa, testing::ValuesIn(f32_tables()), name_of);
class Bf16AttentionOfIsa : public AttentionOfIsa {};
std::vector<NamedTable> bf16_tables() {
  std::vector<NamedTable> tables = simd_tables();
  std::erase_if(tables, [](const NamedTable& named) { return named.table->attention_bf16 == nullptr; });
  return tables;
}
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Bf16AttentionOfIsa);
INSTANTIATE_TEST_SUITE_P(Tables, Bf16AttentionOfIsa, testing::ValuesIn(bf16_tables()), name_of);

TEST_P(AttentionOfIsa, is_the_softmax_average_of_the_visible_values) {
  for (const Config& config : kConfigs) {
    EXPECT_LE(largest_error(GetParam().table->attention_f32, Sequence(config)), 1e-5)
        << dtype_name(config.dtype) << " D " << config.head_dim;
  }
}

TEST_P(Bf16AttentionOfIsa, is_near_the_softmax_average) {
  for (const Config& config : kConfigs) {
    EXPECT_LE(largest_error(GetParam().table->attention_bf16, Sequence(config)), 0.04)
        << dtype_name(config.dtype) << " D " << config.head_dim;
  }
}

// Whole numbers of 15 bits stand for queries and weights: bytes lose nothing more that counts.
TEST_P(Bf16AttentionOfIsa, q8_0_is_nearer_than_bfloat16_would_be) {
  for (const Config& config : {Config{DType::kQ8_0, 4, 2, 64, 100, 0, 64}, Config{DType::kQ8_0, 1, 1, 32, 1090, 0, 530, true},
                               Config{DType::kQ8_0, 3, 1, 256, 140, 5.0f}}) {
    EXPECT_LE(largest_error(GetParam().table->attention_bf16, Sequence(config)), 1e-3) << " D " << config.head_dim;
  }
}

TEST_P(Bf16AttentionOfIsa, an_infinite_value_of_q8_0_shows) {
  Sequence s({DType::kQ8_0, 1, 1, 32, 3});
  s.v[32] = INFINITY;
  store_kv(s.kv, 1, 32, 0, s.k.data(), s.v.data(), 3);
  const std::vector<float> out = attend(GetParam().table->attention_bf16, s, 0, 3, 3);
  for (int64_t d = 0; d < 32; ++d) {
    EXPECT_TRUE(std::isfinite(out[d]));
    EXPECT_FALSE(std::isfinite(out[32 + d]) || std::isfinite(out[64 + d]));
  }
}

// Shortening float16 to bfloat16 moves its exponent: both ends of the range have to survive, and zeros stay zeros.
TEST_P(Bf16AttentionOfIsa, float16_values_of_all_magnitudes_keep_their_eight_digits) {
  Sequence s({DType::kF16, 1, 1, 32, 1});
  for (const float magnitude : {0x1p-14f, 0.001f, 0.3f, 1.0f, 700.0f, 60000.0f}) {
    for (int64_t d = 0; d < 32; ++d) s.v[d] = d % 4 == 3 ? 0.0f : magnitude * (d % 2 ? -1.0f : 1.0f) * (1 + static_cast<float>(d) / 400);
    store_kv(s.kv, 1, 32, 0, s.k.data(), s.v.data(), 1);
    const std::vector<float> out = attend(GetParam().table->attention_bf16, s, 0, 1, 1);
    for (int64_t d = 0; d < 32; ++d) EXPECT_NEAR(out[d], s.v[d], std::abs(s.v[d]) * (0x1p-8 + 0x1p-11)) << magnitude << " d " << d;
  }
}

TEST_P(AttentionOfIsa, a_row_has_the_same_bits_in_blocks_of_any_size) { expect_same_bits_in_any_blocks(GetParam().table->attention_f32); }

TEST_P(Bf16AttentionOfIsa, a_row_has_the_same_bits_in_blocks_of_any_size) {
  expect_same_bits_in_any_blocks(GetParam().table->attention_bf16);
}

class AttentionDriver : public testing::TestWithParam<Compute> {
 protected:
  ~AttentionDriver() override { set_num_threads(available_cores()); }

  static void run(const Sequence& s, std::span<const AttentionRun> runs, std::vector<float>& out) {
    out.assign(s.q.size(), NAN);
    attention(s.shape, runs, s.q.data(), s.width(), out.data(), s.width(), GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(Products, AttentionDriver, testing::Values(Compute::kF32, Compute::kBF16),
                         [](const auto& tested) { return tested.param == Compute::kF32 ? "f32" : "bf16"; });

TEST_P(AttentionDriver, has_the_same_bits_for_any_split_into_runs_and_threads) {
  for (const Config& config : {Config{DType::kF16, 6, 2, 32, 700, 0, 100}, Config{DType::kQ8_0, 3, 1, 32, 1300},
                               Config{DType::kF32, 2, 2, 32, 900, 0, 0, false, 900}}) {
    const Sequence s(config);
    std::vector<float> whole, split;
    set_num_threads(1);
    const AttentionRun one[] = {s.run(0, config.length, 0)};
    run(s, one, whole);
    for (const int64_t cut : {1, 17, 64, 514, 699}) {
      set_num_threads(cut % 3 + 1);
      const AttentionRun two[] = {s.run(0, cut, 0), s.run(cut, config.length - cut, cut)};
      run(s, two, split);
      ASSERT_EQ(std::memcmp(split.data(), whole.data(), whole.size() * sizeof(float)), 0) << "cut " << cut;
    }
  }
}

// Keys of another sequence: as if every query stood behind all of them.
TEST_P(AttentionDriver, rows_over_another_sequence_see_all_of_its_keys) {
  const Sequence s({DType::kF16, 4, 2, 32, 570});
  std::vector<float> across, behind;
  const AttentionRun cross[] = {cross_run(0, 5, s.kv, 570)};
  run(s, cross, across);
  for (int64_t t = 0; t < 5; ++t) {
    const AttentionRun last[] = {s.run(t, 1, 569)};
    run(s, last, behind);
    EXPECT_EQ(std::memcmp(across.data() + t * s.width(), behind.data() + t * s.width(), s.width() * sizeof(float)), 0) << t;
  }
}

TEST_P(AttentionDriver, a_single_row_has_the_bits_it_has_in_a_prompt) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    const Sequence s({dtype, 4, 2, 64, 1100});
    std::vector<float> whole, single;
    const AttentionRun prompt[] = {s.run(0, s.c.length, 0)};
    run(s, prompt, whole);
    for (const int64_t row : {0, 63, 64, 511, 512, 1024, 1099}) {
      for (const int threads : {1, 2, 3}) {
        set_num_threads(threads);
        const AttentionRun decode[] = {s.run(row, 1, row)};
        run(s, decode, single);
        ASSERT_EQ(std::memcmp(&single[row * s.width()], &whole[row * s.width()], s.width() * sizeof(float)), 0)
            << dtype_name(dtype) << " row " << row << " threads " << threads;
      }
    }
  }
}

TEST_P(AttentionDriver, later_tokens_do_not_reach_a_row_whatever_they_are) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    for (const float value : {INFINITY, NAN}) {
      Sequence s({dtype, 2, 1, 32, 130});
      std::vector<float> before, after;
      const AttentionRun prompt[] = {s.run(0, s.c.length, 0)};
      run(s, prompt, before);
      const std::vector<float> row(32, value);
      for (const int64_t token : {101, 70}) {
        store_kv(s.kv, 1, 32, token, row.data(), row.data(), 1);
        run(s, prompt, after);
        ASSERT_EQ(std::memcmp(after.data(), before.data(), token * s.width() * sizeof(float)), 0)
            << dtype_name(dtype) << " token " << token << " of " << value;
      }
    }
  }
}

}  // namespace
}  // namespace atelier::kernels
