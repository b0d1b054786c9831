#include "atelier/quant/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "atelier/quant/quant.h"

namespace atelier::quant {
namespace {

// Rows of bytes that all differ from their neighbours.
std::vector<uint8_t> counted_bytes(int64_t count) {
  std::vector<uint8_t> bytes(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(i * 167 + i / 251);
  return bytes;
}

std::vector<uint8_t> tiles_of(DType dtype, const std::vector<uint8_t>& rows, int64_t N, int64_t K) {
  const int64_t stride = row_bytes(dtype, K);
  std::vector<uint8_t> tiles(static_cast<size_t>(tiled_bytes(dtype, N, K)), 0xee);
  for (int64_t n = 0; n < N; n += kTileRows)
    pack_tile(dtype, rows.data() + n * stride, std::min(kTileRows, N - n), K, tiles.data() + n * stride);
  return tiles;
}

TEST(Tiles, every_row_of_every_format_comes_back_with_its_bytes) {
  constexpr int64_t N = 37, K = 768;
  for (const BlockFormat* format : block_formats()) {
    const int64_t stride = row_bytes(format->dtype, K);
    const std::vector<uint8_t> rows = counted_bytes(N * stride);
    const std::vector<uint8_t> tiles = tiles_of(format->dtype, rows, N, K);
    EXPECT_EQ(static_cast<int64_t>(tiles.size()), 48 * stride);
    std::vector<uint8_t> row(static_cast<size_t>(stride));
    for (int64_t n = 0; n < N; ++n) {
      unpack_tile_row(format->dtype, tiles.data(), n, K, row.data());
      EXPECT_TRUE(std::equal(row.begin(), row.end(), rows.begin() + n * stride)) << dtype_name(format->dtype) << " row " << n;
    }
  }
}

TEST(Tiles, a_last_tile_is_filled_up_with_zero_rows) {
  const std::vector<uint8_t> tiles = tiles_of(DType::kQ4_1, counted_bytes(3 * row_bytes(DType::kQ4_1, 64)), 3, 64);
  std::vector<uint8_t> row(static_cast<size_t>(row_bytes(DType::kQ4_1, 64)), 1);
  unpack_tile_row(DType::kQ4_1, tiles.data(), 15, 64, row.data());
  EXPECT_TRUE(std::all_of(row.begin(), row.end(), [](uint8_t b) { return b == 0; }));
}

TEST(Tiles, a_word_of_sixteen_rows_stands_together_behind_the_halves_of_its_pair_of_blocks) {
  constexpr int64_t K = 96;  // three blocks of Q8_0: a half and eight words each
  const int64_t stride = row_bytes(DType::kQ8_0, K), row = 5, word = 3;
  const std::vector<uint8_t> rows = counted_bytes(kTileRows * stride), tile = tiles_of(DType::kQ8_0, rows, kTileRows, K);
  EXPECT_EQ(tile[(1 * kTileRows + row) * 2], rows[row * stride + 34]);                                     // half of block 1
  EXPECT_EQ(tile[64 + ((8 + word) * kTileRows + row) * 4], rows[row * stride + 34 + 2 + word * 4]);        // word of block 1
  EXPECT_EQ(tile[64 + 1024 + row * 2], rows[row * stride + 68]);                                           // half of block 2, alone
  EXPECT_EQ(tile[64 + 1024 + 32 + (word * kTileRows + row) * 4], rows[row * stride + 68 + 2 + word * 4]);  // word of block 2
}

}  // namespace
}  // namespace atelier::quant
