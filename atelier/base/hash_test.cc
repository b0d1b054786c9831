#include "atelier/base/hash.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string_view>
#include <vector>

namespace atelier {
namespace {

uint64_t hash_text(std::string_view text, uint64_t seed = 0) { return hash_values(std::span(text.data(), text.size()), seed); }

// From the xxhash package for Python.
TEST(Hash, equals_xxh64) {
  EXPECT_EQ(hash_text(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hash_text("abc"), 0x44BC2CF5AD770999u);
}

TEST(Hash, every_byte_and_the_seed_count) {
  std::vector<uint8_t> bytes(101);
  std::iota(bytes.begin(), bytes.end(), 0);
  const uint64_t whole = hash_bytes(bytes);
  EXPECT_NE(hash_bytes(bytes, 1), whole);
  for (uint8_t& byte : bytes) {
    byte ^= 1;
    EXPECT_NE(hash_bytes(bytes), whole);
    byte ^= 1;
  }
  EXPECT_EQ(hash_bytes(bytes), whole);
  EXPECT_NE(hash_bytes(std::span(bytes).first(100)), whole);
}

}  // namespace
}  // namespace atelier
