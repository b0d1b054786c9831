#include "atelier/kernels/kv_tile.h"

#include <gtest/gtest.h>

#include "atelier/base/half.h"
#include "tests/support/kernel_tables.h"

namespace atelier::kernels {
namespace {

TEST(KvTile, tokens_come_back_as_the_type_holds_them) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    for (const int64_t D : {8, 20, 32, 80, 96, 256}) {
      if (dtype == DType::kQ8_0 && D % 32 != 0) continue;
      constexpr int64_t kHeads = 2, kTokens = 100, kFirst = 37;
      std::vector<std::vector<uint8_t>> memory;
      std::vector<uint8_t*> pages;
      for (int i = 0; i < 3; ++i) memory.emplace_back(2 * kHeads * kv_tile_bytes(dtype, D), 0xff);
      for (auto& page : memory) pages.push_back(page.data());
      const KvView kv = {dtype, pages.data(), 0};
      const std::vector<float> k = random_floats(kTokens * kHeads * D, 1), v = random_floats(kTokens * kHeads * D, 2);
      store_kv(kv, kHeads, D, kFirst, k.data(), v.data(), kTokens);
      std::vector<float> key(D), value(D), expected(D);
      const auto expect_row = [&](const float* stored, const std::vector<float>& read) {
        std::vector<uint8_t> row(row_bytes(dtype, D));
        store(dtype, stored, row.data(), D);
        load(dtype, row.data(), expected.data(), D);
        EXPECT_EQ(read, expected) << dtype_name(dtype) << " D " << D;
      };
      for (int64_t t = 0; t < kTokens; t += 9) {
        for (int64_t g = 0; g < kHeads; ++g) {
          load_kv(kv, g, D, kFirst + t, key.data(), value.data());
          expect_row(&k[(t * kHeads + g) * D], key);
          expect_row(&v[(t * kHeads + g) * D], value);
        }
      }
    }
  }
}

TEST(KvTile, pairs_of_inputs_of_a_sum_lie_side_by_side) {
  constexpr int64_t D = 20, W = 32;  // filled up
  std::vector<uint16_t> tile(kv_tile_bytes(DType::kF16, D) / 2, 0xffff);
  const std::vector<float> row = random_floats(D, 3);
  store_key(DType::kF16, row.data(), D, 5, reinterpret_cast<uint8_t*>(tile.data()));
  for (int64_t d = 0; d < W; ++d) EXPECT_EQ(tile[(d / 2 * 64 + 5) * 2 + d % 2], d < D ? f32_to_f16(row[d]) : 0) << "column " << d;
  store_value(DType::kF16, row.data(), D, 5, reinterpret_cast<uint8_t*>(tile.data()));
  for (int64_t d = 0; d < D; ++d) EXPECT_EQ(tile[(5 / 2 * W + d) * 2 + 1], f32_to_f16(row[d])) << "column " << d;
}

TEST(KvTile, is_no_larger_than_its_values_and_scales) {
  EXPECT_EQ(kv_tile_bytes(DType::kF32, 64), 64 * 64 * 4);
  EXPECT_EQ(kv_tile_bytes(DType::kF16, 80), 64 * 80 * 2);
  EXPECT_EQ(kv_tile_bytes(DType::kQ8_0, 64), 64 * 68);
}

}  // namespace
}  // namespace atelier::kernels
