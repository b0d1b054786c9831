#include "atelier/generate/prefix_cache.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "atelier/io/file.h"
#include "atelier/kernels/kv_tile.h"
#include "tests/support/temporary_folder.h"

namespace atelier::generate {
namespace {

using nn::KvCache;
using nn::KvPool;

class PrefixCacheTest : public ::testing::Test {
 protected:
  static nn::TransformerSpec spec() {
    nn::TransformerSpec spec;
    spec.num_kv_heads = 1;
    spec.head_dim = 8;
    spec.layers.resize(2);
    return spec;
  }

  // A cache that holds `tokens`: each key and value is its token.
  KvCache computed(std::span<const int32_t> tokens) {
    KvCache cache(pool, 1000);
    const auto count = static_cast<int64_t>(tokens.size());
    EXPECT_TRUE(cache.reserve(count));
    std::vector<float> rows;
    for (const int32_t token : tokens) rows.insert(rows.end(), 8, static_cast<float>(token));
    for (int64_t layer = 0; layer < 2; ++layer) cache.write(layer, rows.data(), rows.data(), count);
    cache.advance(count);
    return cache;
  }
  float value(const KvCache& cache, int64_t token) const {
    float keys[8], values[8];
    kernels::load_kv(cache.view(1), 0, 8, token, keys, values);
    return values[0];
  }
  // What is found of `tokens`, beginnings of pages included.
  KvCache found(const std::string& under, std::span<const int32_t> tokens, PrefixCache& in) {
    KvCache cache(pool, 1000);
    const auto limit = static_cast<int64_t>(tokens.size());
    in.append_full_pages(under, tokens, limit, cache);
    in.append_page_beginning(under, tokens, limit, cache);
    for (int64_t i = 0; i < cache.length(); ++i) EXPECT_EQ(value(cache, i), static_cast<float>(tokens[static_cast<size_t>(i)]));
    return cache;
  }
  static std::vector<int32_t> range(int32_t first, size_t count) {
    std::vector<int32_t> tokens(count);
    std::iota(tokens.begin(), tokens.end(), first);
    return tokens;
  }
  static std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  std::shared_ptr<KvPool> pool = KvPool::create(spec(), DType::kF32, 12).value();
  PrefixCache prefixes{pool};
  const std::string root = prefix_root("", {});
};

TEST_F(PrefixCacheTest, finds_full_pages_and_the_beginning_of_one_more) {
  const std::vector<int32_t> text = range(0, 150);
  {
    KvCache cache = computed(text);
    prefixes.insert_all_pages(root, text, cache);
  }
  EXPECT_EQ(pool->num_free(), 9);
  EXPECT_EQ(found(root, text, prefixes).length(), 150);
  EXPECT_EQ(found(root, joined(range(0, 100), range(500, 100)), prefixes).length(), 100) << "the second page up to where it differs";
  EXPECT_EQ(found(root, joined(range(0, 133), range(500, 100)), prefixes).length(), 128) << "five tokens are not worth a copy";
  EXPECT_EQ(found(root, range(1, 100), prefixes).length(), 0);
  KvCache limited(pool, 1000);
  prefixes.append_full_pages(root, text, 127, limited);
  EXPECT_EQ(limited.length(), 64);
}

TEST_F(PrefixCacheTest, equal_tokens_are_kept_once) {
  const std::vector<int32_t> text = range(0, 128);
  KvCache a = computed(text), b = computed(text);
  prefixes.insert_full_pages(root, text, a);
  prefixes.insert_full_pages(root, text, b);
  EXPECT_EQ(prefixes.num_pages(), 2);
  EXPECT_EQ(pool->num_free(), 10) << "b's own pages are free again";
  EXPECT_EQ(b.pages()[1], a.pages()[1]);
  EXPECT_EQ(prefixes.num_evictable(), 0);
}

TEST_F(PrefixCacheTest, a_page_that_grew_replaces_what_it_was) {
  for (const size_t length : {70u, 100u, 128u}) {
    const std::vector<int32_t> text = range(0, length);
    KvCache cache = computed(text);
    prefixes.insert_all_pages(root, text, cache);
    EXPECT_EQ(prefixes.num_pages(), 2);
  }
  KvCache cache = computed(range(0, 90));
  prefixes.insert_all_pages(root, range(0, 90), cache);
  EXPECT_EQ(prefixes.num_pages(), 2) << "a longer page holds these tokens";
}

TEST_F(PrefixCacheTest, gives_up_the_least_recently_used_and_leaves_first) {
  const std::vector<int32_t> a = range(0, 128), b = joined(range(0, 64), range(300, 64)), c = range(600, 64);
  for (const auto* text : {&a, &b, &c}) {
    KvCache cache = computed(*text);
    prefixes.insert_full_pages(root, *text, cache);
  }
  EXPECT_EQ(prefixes.num_pages(), 4);
  EXPECT_EQ(prefixes.num_evictable(), 4);
  KvCache used = found(root, a, prefixes);
  EXPECT_EQ(prefixes.num_evictable(), 2);
  EXPECT_TRUE(prefixes.evict_one());
  EXPECT_EQ(found(root, b, prefixes).length(), 64) << "b's own page was the oldest";
  EXPECT_EQ(found(root, c, prefixes).length(), 64);
  EXPECT_TRUE(prefixes.evict_one());
  EXPECT_FALSE(prefixes.evict_one()) << "a's pages are in use";
  used.truncate(0);
  EXPECT_TRUE(prefixes.evict_one());
  EXPECT_TRUE(prefixes.evict_one());
  EXPECT_EQ(pool->num_free(), 12);
}

TEST_F(PrefixCacheTest, scopes_and_adapters_share_nothing) {
  const std::vector<int32_t> text = range(0, 64);
  KvCache cache = computed(text);
  prefixes.insert_full_pages(root, text, cache);
  const nn::Adapter french{.digest = "0a1b"};
  for (const std::string& other : {prefix_root("key-1", {}), prefix_root("", {{&french, 1}}), prefix_root("", {{&french, 0.5f}}),
                                   prefix_root("", {{&french, 0.5f}, {&french, 0.5f}})}) {
    EXPECT_EQ(found(other, text, prefixes).length(), 0);
    prefixes.insert_full_pages(other, text, cache);
  }
  EXPECT_EQ(prefixes.num_pages(), 5);
  EXPECT_EQ(prefix_root("key-1", {}).find("key"), std::string::npos) << "a scope may be a secret";
}

TEST_F(PrefixCacheTest, saved_and_restored_into_another_pool) {
  const atelier::testing::TemporaryFolder folder;
  const std::string path = folder / "prefixes";
  const std::vector<int32_t> a = range(0, 150), b = joined(range(0, 64), range(300, 64));
  for (const auto* text : {&a, &b}) {
    KvCache cache = computed(*text);
    prefixes.insert_all_pages(root, *text, cache);
  }
  ASSERT_TRUE(prefixes.save(path, "model x").ok());

  pool = KvPool::create(spec(), DType::kF32, 12).value();
  PrefixCache restored(pool);
  const Status status = restored.restore(path, "model x");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(restored.num_pages(), 4);
  EXPECT_EQ(found(root, a, restored).length(), 150);
  EXPECT_EQ(found(root, b, restored).length(), 128);
  ASSERT_TRUE(restored.restore(path, "model x").ok());
  EXPECT_EQ(restored.num_pages(), 4) << "nothing is there twice";

  pool = KvPool::create(spec(), DType::kF32, 2).value();
  PrefixCache small(pool);
  ASSERT_TRUE(small.restore(path, "model x").ok());
  EXPECT_EQ(small.num_pages(), 2);
  EXPECT_EQ(found(root, b, small).length(), 128) << "the most recently used fit";
}

TEST_F(PrefixCacheTest, a_file_that_is_damaged_or_of_another_model_is_refused_and_adds_nothing) {
  const atelier::testing::TemporaryFolder folder;
  const std::string path = folder / "prefixes";
  const std::vector<int32_t> text = range(0, 150);
  KvCache cache = computed(text);
  prefixes.insert_all_pages(root, text, cache);
  ASSERT_TRUE(prefixes.save(path, "model x").ok());
  const std::string bytes = io::read_file(path).value();

  pool = KvPool::create(spec(), DType::kF32, 12).value();
  PrefixCache restored(pool);
  const auto refused = [&](const std::string& content) {
    const std::string damaged_path = folder / "damaged";
    std::ofstream(damaged_path, std::ios::binary) << content;
    const Status status = restored.restore(damaged_path, "model x");
    EXPECT_EQ(status.message().find('\n'), std::string::npos);
    EXPECT_EQ(restored.num_pages(), 0);
    return !status.ok();
  };
  EXPECT_EQ(restored.restore(path, "model y").code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(refused("x" + bytes));
  for (size_t at = 0; at < bytes.size(); at += at < 256 ? 1 : 509) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_TRUE(refused(damaged)) << at;
  }
  for (const size_t length : {size_t{0}, size_t{7}, size_t{8}, size_t{30}, size_t{500}, bytes.size() - 1}) {
    EXPECT_TRUE(refused(bytes.substr(0, length))) << length;
  }
  EXPECT_TRUE(refused(bytes + "x"));
  EXPECT_EQ(restored.restore(folder / "absent", "model x").code(), StatusCode::kNotFound);
  EXPECT_TRUE(restored.restore(path, "model x").ok());
}

}  // namespace
}  // namespace atelier::generate
