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

TEST(KvCache, rows_read_back_from_the_layer_they_were_written_to) {
  KvCache cache = KvCache::create(small_spec(), DType::kF32, 8).value();
  std::vector<float> k(2 * 64), v(2 * 64);
  for (size_t i = 0; i < k.size(); ++i) {
    k[i] = static_cast<float>(i);
    v[i] = -static_cast<float>(i);
  }
  cache.write(1, k.data(), v.data(), 2);
  cache.advance(2);
  EXPECT_EQ(cache.length(), 2);
  const kernels::KvView view = cache.view(1);
  EXPECT_EQ(static_cast<const float*>(view.k)[65], 65);
  EXPECT_EQ(static_cast<const float*>(view.v)[127], -127);
  EXPECT_EQ(static_cast<const float*>(cache.view(0).k)[65], 0);
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
  EXPECT_EQ(KvCache::bytes_for(small_spec(), DType::kQ8_0, 100), 2 * 3 * 2 * 34 * 100);
}

}  // namespace
}  // namespace atelier::nn
