#include "atelier/tokenize/charsmap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace atelier::tokenize {
namespace {

std::string bytes_of(const std::vector<uint32_t>& units, const std::string& strings) {
  const auto size = static_cast<uint32_t>(units.size() * sizeof(uint32_t));
  std::string out(sizeof size + size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  std::memcpy(out.data() + sizeof size, units.data(), size);
  return out + strings;
}

// A trie that knows "A" (65) only: root -> unit 65 ^ 256, a leaf whose value unit follows at offset 1.
std::string map_of_a() {
  std::vector<uint32_t> units(512);
  units[0] = 256u << 10;
  units[256 ^ 65] = 1u << 10 | 1u << 8 | 65;  // label A, has a leaf, offset 1
  units[256 ^ 65 ^ 1] = 0x80000000u | 2;      // value: string at 2
  return bytes_of(units, std::string("z\0aa\0", 5));
}

TEST(charsmap, a_match_gives_its_replacement_and_its_length) {
  const CharsMap map = CharsMap::parse(map_of_a(), "map").value();
  const auto match = map.longest_prefix("AB");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->length, 1u);
  EXPECT_EQ(match->replacement, "aa");
  EXPECT_FALSE(map.longest_prefix("B"));
  EXPECT_FALSE(map.longest_prefix(""));
}

TEST(charsmap, sizes_that_do_not_fit_are_refused) {
  for (const std::string& bytes : {std::string(), std::string("\x04\0\0\0", 4), std::string("\xff\xff\xff\xff____", 8),
                                   std::string("\0\0\0\0aa", 6), std::string("\x04\0\0\0____\xff", 9)}) {
    EXPECT_FALSE(CharsMap::parse(bytes, "map").ok());
  }
}

TEST(charsmap, random_tries_are_walked_within_their_bounds) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<uint32_t> units(1 + random() % 300);
    for (uint32_t& unit : units) unit = static_cast<uint32_t>(random());
    const CharsMap map = CharsMap::parse(bytes_of(units, "abc"), "map").value();
    std::string text(64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const auto match = map.longest_prefix(text);
    EXPECT_LE(match ? match->length : 0, text.size());
  }
}

}  // namespace
}  // namespace atelier::tokenize
