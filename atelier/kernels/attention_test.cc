#include <gtest/gtest.h>

#include <cmath>

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
};

// A sequence whose keys and values are in pages that lie anywhere; beyond the last token they hold NaN, which nothing may read into a
// result.
struct Sequence {
  Config c;
  AttentionShape shape;
  std::vector<float> q, k, v, slopes;  // k and v as they are read back from the cache
  std::vector<std::vector<uint8_t>> memory;
  std::vector<uint8_t*> pages;
  KvView kv;

  explicit Sequence(const Config& config) : c(config) {
    const int64_t kv_width = c.kv_heads * c.head_dim, part = kKeyTile * row_bytes(c.dtype, kv_width);
    constexpr int64_t kOtherLayers = 192;  // bytes of a page before this layer's
    q = random_floats(c.length * c.heads * c.head_dim, 1);
    k = random_floats(c.length * kv_width, 2);
    v = random_floats(c.length * kv_width, 3);
    for (int64_t s = 0; s < c.length + kKeyTile; s += kKeyTile) memory.emplace_back(kOtherLayers + 2 * part, 0xff);
    for (auto& page : memory) pages.push_back(page.data());
    kv = {c.dtype, pages.data(), kOtherLayers, kOtherLayers + part};
    store_kv(kv, c.kv_heads, c.head_dim, 0, k.data(), v.data(), c.length);
    for (int64_t s = 0; s < c.length; ++s) {
      for (int64_t g = 0; g < c.kv_heads; ++g) {
        const int64_t row = (g * kKeyTile + s % kKeyTile) * row_bytes(c.dtype, c.head_dim);
        load(c.dtype, pages[s / kKeyTile] + kv.k_offset + row, &k[(s * c.kv_heads + g) * c.head_dim], c.head_dim);
        load(c.dtype, pages[s / kKeyTile] + kv.v_offset + row, &v[(s * c.kv_heads + g) * c.head_dim], c.head_dim);
      }
    }
    for (int64_t h = 0; h < c.heads; ++h) slopes.push_back(1.0f / static_cast<float>(2 << h));
    shape = {c.heads, c.kv_heads, c.head_dim, 0.3f, c.soft_cap, c.window, c.has_alibi ? slopes.data() : nullptr};
  }

  int64_t width() const { return c.heads * c.head_dim; }
  AttentionRun run(int64_t first_row, int64_t rows, int64_t first_position) const { return {first_row, rows, first_position, kv}; }

  // Softmax over all visible keys at once, in double.
  std::vector<double> exact(int64_t position, int64_t head) const {
    const int64_t g = head / (c.heads / c.kv_heads), kv_width = c.kv_heads * c.head_dim;
    std::vector<double> out(c.head_dim, 0.0);
    double total = 0;
    for (int64_t s = c.window > 0 ? std::max<int64_t>(0, position - c.window + 1) : 0; s <= position; ++s) {
      double score = 0;
      for (int64_t d = 0; d < c.head_dim; ++d) {
        score += static_cast<double>(q[position * width() + head * c.head_dim + d]) * k[s * kv_width + g * c.head_dim + d];
      }
      score *= shape.scale;
      if (c.soft_cap > 0) score = c.soft_cap * std::tanh(score / c.soft_cap);
      if (c.has_alibi) score += slopes[head] * static_cast<double>(s - position);
      total += std::exp(score);
      for (int64_t d = 0; d < c.head_dim; ++d) out[d] += std::exp(score) * v[s * kv_width + g * c.head_dim + d];
    }
    for (double& o : out) o /= total;
    return out;
  }
};

class AttentionOfIsa : public testing::TestWithParam<NamedTable> {
 protected:
  // Rows [first, first + count) in blocks of `block_rows`, straight from the table.
  std::vector<float> attend(const Sequence& s, int64_t first, int64_t count, int64_t block_rows) const {
    std::vector<float> out(count * s.width(), NAN);
    const int64_t group = s.c.heads / s.c.kv_heads;
    std::vector<float> scratch((kKeyTile + 2 * kAttentionRows * group) * (s.c.head_dim + 16) + kAttentionRows * group * (kKeyTile + 3));
    for (int64_t t = 0; t < count; t += block_rows) {
      for (int64_t g = 0; g < s.c.kv_heads; ++g) {
        AttentionBlock block;
        block.num_heads = group;
        block.num_rows = std::min(block_rows, count - t);
        block.q = s.q.data() + (first + t) * s.width() + g * group * s.c.head_dim;
        block.out = out.data() + t * s.width() + g * group * s.c.head_dim;
        block.ldq = block.ldo = s.width();
        block.first_position = first + t;
        block.dtype = s.c.dtype;
        block.pages = s.kv.pages;
        block.row_bytes = row_bytes(s.c.dtype, s.c.head_dim);
        block.k_offset = s.kv.k_offset + g * kKeyTile * block.row_bytes;
        block.v_offset = s.kv.v_offset + g * kKeyTile * block.row_bytes;
        block.alibi_slopes = s.c.has_alibi ? s.slopes.data() + g * group : nullptr;
        GetParam().table->attention(s.shape, block, scratch.data());
      }
    }
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Simd, AttentionOfIsa, testing::ValuesIn(simd_tables()), name_of);
INSTANTIATE_TEST_SUITE_P(Scalar, AttentionOfIsa, testing::Values(NamedTable{"scalar", &kernel_table(Isa::kScalar)}), name_of);

TEST_P(AttentionOfIsa, is_the_softmax_average_of_the_visible_values) {
  for (const Config& config : kConfigs) {
    const Sequence s(config);
    const std::vector<float> out = attend(s, 0, config.length, kAttentionRows);
    for (int64_t t = 0; t < config.length; t += t < 4 ? 1 : 7) {
      for (int64_t h = 0; h < config.heads; ++h) {
        const std::vector<double> exact = s.exact(t, h);
        for (int64_t d = 0; d < config.head_dim; ++d) {
          ASSERT_NEAR(out[t * s.width() + h * config.head_dim + d], exact[d], 1e-5)
              << dtype_name(config.dtype) << " D " << config.head_dim << " position " << t << " head " << h;
        }
      }
    }
  }
}

TEST_P(AttentionOfIsa, a_row_has_the_same_bits_in_blocks_of_any_size) {
  for (const Config& config : kConfigs) {
    const Sequence s(config);
    const std::vector<float> whole = attend(s, 0, config.length, kAttentionRows);
    for (const int64_t rows : {1, 3, 7}) {
      const std::vector<float> cut = attend(s, 0, config.length, rows);
      ASSERT_EQ(std::memcmp(cut.data(), whole.data(), whole.size() * sizeof(float)), 0) << "D " << config.head_dim << " rows " << rows;
    }
  }
}

class AttentionDriver : public testing::Test {
 protected:
  ~AttentionDriver() override { set_num_threads(available_cores()); }
};

TEST_F(AttentionDriver, has_the_same_bits_for_any_split_into_runs_and_threads) {
  const Config config = {DType::kF16, 6, 2, 32, 150, 0, 100};
  const Sequence s(config);
  std::vector<float> whole(s.q.size()), split(s.q.size());
  set_num_threads(1);
  const AttentionRun one[] = {s.run(0, config.length, 0)};
  attention(s.shape, one, s.q.data(), s.width(), whole.data(), s.width());
  for (const int64_t cut : {1, 17, 64, 149}) {
    set_num_threads(cut % 3 + 1);
    const AttentionRun two[] = {s.run(0, cut, 0), s.run(cut, config.length - cut, cut)};
    attention(s.shape, two, s.q.data(), s.width(), split.data(), s.width());
    ASSERT_EQ(std::memcmp(split.data(), whole.data(), whole.size() * sizeof(float)), 0) << "cut " << cut;
  }
}

}  // namespace
}  // namespace atelier::kernels
