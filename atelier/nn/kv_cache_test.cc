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

std::shared_ptr<KvPool> small_pool(int64_t num_pages) { return KvPool::create(small_spec(), DType::kF32, num_pages).value(); }

// Tokens whose keys and values are `first`, `first` + 1, … in every layer.
void append(KvCache& cache, int64_t count, float first) {
  ASSERT_TRUE(cache.reserve(count));
  std::vector<float> rows(static_cast<size_t>(count) * 64);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = first + static_cast<float>(i / 64);
  for (int64_t layer = 0; layer < 3; ++layer) cache.write(layer, rows.data(), rows.data(), count);
  cache.advance(count);
}

// The first value of a token's keys in layer 1, head 1.
float key(const KvCache& cache, int64_t token) {
  float keys[32], values[32];
  kernels::load_kv(cache.view(1), 1, 32, token, keys, values);
  return keys[0];
}

TEST(KvCache, tokens_read_back_across_pages) {
  KvCache cache(small_pool(3), 150);
  append(cache, 60, 0);
  append(cache, 90, 60);
  EXPECT_EQ(cache.length(), 150);
  EXPECT_EQ(cache.pages().size(), 3u);
  for (int64_t token = 0; token < 150; ++token) EXPECT_EQ(key(cache, token), static_cast<float>(token));
}

TEST(KvCache, truncate_gives_pages_back_and_lets_tokens_be_written_again) {
  const auto pool = small_pool(3);
  KvCache cache(pool, 150);
  append(cache, 150, 0);
  EXPECT_EQ(pool->num_free(), 0);
  cache.truncate(40);
  EXPECT_EQ(pool->num_free(), 2);
  append(cache, 30, 500);
  EXPECT_EQ(key(cache, 39), 39);
  EXPECT_EQ(key(cache, 69), 529);
}

TEST(KvCache, reserve_says_no_when_the_pool_is_empty_and_changes_nothing) {
  const auto pool = small_pool(2);
  KvCache a(pool, 128), b(pool, 128);
  append(a, 64, 0);
  EXPECT_FALSE(b.reserve(65));
  EXPECT_TRUE(b.pages().empty());
  EXPECT_TRUE(b.reserve(64));
  EXPECT_EQ(pool->num_free(), 0);
}

TEST(KvCache, a_fork_shares_pages_until_one_of_the_two_writes) {
  const auto pool = small_pool(5);
  KvCache a(pool, 200);
  append(a, 100, 0);
  {
    KvCache b = a.fork();
    EXPECT_EQ(pool->num_free(), 3) << "nothing was copied";
    EXPECT_EQ(b.num_missing_pages(101), 1);
    append(b, 1, 1000);
    EXPECT_EQ(pool->num_free(), 2) << "the page that is full in part was copied, the full one is shared";
    append(a, 1, 2000);
    EXPECT_EQ(pool->num_free(), 2) << "a is its only owner now";
    EXPECT_EQ(a.pages()[0], b.pages()[0]);
    EXPECT_NE(a.pages()[1], b.pages()[1]);
    for (int64_t token = 0; token < 100; ++token) EXPECT_EQ(key(b, token), static_cast<float>(token));
    EXPECT_EQ(key(b, 100), 1000);
    EXPECT_EQ(key(a, 100), 2000);
  }
  EXPECT_EQ(pool->num_free(), 3);
}

TEST(KvCache, a_page_is_free_when_its_last_owner_is_gone) {
  const auto pool = small_pool(2);
  KvCache* a = new KvCache(pool, 128);
  append(*a, 128, 0);
  KvCache b(pool, 128);
  b.append_shared(a->pages()[0], 64);
  delete a;
  EXPECT_EQ(pool->num_free(), 1);
  EXPECT_EQ(key(b, 63), 63);
  b.truncate(0);
  EXPECT_EQ(pool->num_free(), 2);
}

TEST(KvCache, q8_0_needs_a_head_width_of_whole_blocks) {
  TransformerSpec spec = small_spec();
  spec.head_dim = 24;
  EXPECT_EQ(KvCache::create(spec, DType::kQ8_0, 4).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(KvCache::bytes_for(small_spec(), DType::kQ8_0, 100), 2 * 3 * 2 * 34 * 128) << "whole pages";
}

}  // namespace
}  // namespace atelier::nn
