#include "atelier/nn/kv_cache.h"

#include <gtest/gtest.h>

#include <vector>

namespace atelier::nn {
namespace {

TransformerSpec small_spec() {
  TransformerSpec spec;
  spec.num_kv_heads = 2;
  spec.head_dim = 32;
  spec.layers.resize(3);
  return spec;
}

// Value d of kv head g of token s, from the layout as KvView describes it.
float value_at(const kernels::KvView& view, int64_t offset, int64_t s, int64_t g, int64_t d) {
  const uint8_t* page = view.pages[s / kernels::kKeyTile];
  return reinterpret_cast<const float*>(page + offset)[(g * kernels::kKeyTile + s % kernels::kKeyTile) * 32 + d];
}

TEST(KvCache, rows_read_back_from_the_layer_they_were_written_to) {
  KvCache cache = KvCache::create(small_spec(), DType::kF32, 150).value();
  std::vector<float> k(150 * 64), v(150 * 64);
  for (size_t i = 0; i < k.size(); ++i) {
    k[i] = static_cast<float>(i);
    v[i] = -static_cast<float>(i);
  }
  for (int64_t rows = 40; cache.length() < 150; rows = 55) {  // both cross the border of a page
    cache.write(1, k.data() + cache.length() * 64, v.data() + cache.length() * 64, rows);
    cache.advance(rows);
  }
  const kernels::KvView view = cache.view(1), other = cache.view(0);
  for (int64_t s = 0; s < 150; ++s) {
    for (const int64_t g : {0, 1}) {
      EXPECT_EQ(value_at(view, view.k_offset, s, g, 5), s * 64 + g * 32 + 5);
      EXPECT_EQ(value_at(view, view.v_offset, s, g, 31), -(s * 64 + g * 32 + 31));
      EXPECT_EQ(value_at(other, other.v_offset, s, g, 31), 0);
    }
  }
}

TEST(KvCache, truncate_lets_later_tokens_be_written_again) {
  KvCache cache = KvCache::create(small_spec(), DType::kF16, 4).value();
  const std::vector<float> row(64, 1.0f);
  for (int i = 0; i < 4; ++i) {
    cache.write(0, row.data(), row.data(), 1);
    cache.advance(1);
  }
  cache.truncate(2);
  EXPECT_EQ(cache.length(), 2);
  cache.write(0, row.data(), row.data(), 2);
}

TEST(KvCache, q8_0_needs_a_head_width_of_whole_blocks) {
  TransformerSpec spec = small_spec();
  spec.head_dim = 24;
  EXPECT_EQ(KvCache::create(spec, DType::kQ8_0, 4).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(KvCache::bytes_for(small_spec(), DType::kQ8_0, 100), 2 * 3 * 2 * 34 * 128);
}

}  // namespace
}  // namespace atelier::nn
