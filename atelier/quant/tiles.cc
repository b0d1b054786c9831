#include "atelier/quant/tiles.h"

#include <cstring>

namespace atelier::quant {
namespace {

bool starts_with_half(DType dtype) { return dtype_info(dtype).block_size == 32; }  // K types of odd size keep d at the end

}  // namespace

TileShape tile_shape(DType dtype, int64_t K) {
  const DTypeInfo& info = dtype_info(dtype);
  const bool has_half = info.block_bytes % 4 != 0;
  return {K / info.block_size, info.block_bytes / 4, !has_half ? HalfPlace::kNone : starts_with_half(dtype) ? HalfPlace::kFirst : HalfPlace::kLast};
}

int64_t tiled_bytes(DType dtype, int64_t N, int64_t K) { return (N + kTileRows - 1) / kTileRows * kTileRows * row_bytes(dtype, K); }

void pack_tile(DType dtype, const uint8_t* rows, int64_t num_rows, int64_t K, uint8_t* tile) {
  const TileShape shape = tile_shape(dtype, K);
  const int64_t stride = row_bytes(dtype, K), block_bytes = dtype_info(dtype).block_bytes;
  const int64_t words_at = shape.half == HalfPlace::kFirst ? 2 : 0, half_at = shape.half == HalfPlace::kFirst ? 0 : block_bytes - 2;
  uint8_t* halves = tile + shape.word_bytes();
  if (num_rows < kTileRows) std::memset(tile, 0, static_cast<size_t>(kTileRows * stride));
  for (int64_t b = 0; b < shape.blocks; ++b) {
    const uint8_t* block = rows + b * block_bytes;
    uint8_t* out = tile + b * shape.words_per_block * kTileRows * 4;
    for (int64_t i = 0; i < shape.words_per_block; ++i) {
      for (int64_t r = 0; r < num_rows; ++r) std::memcpy(out + (i * kTileRows + r) * 4, block + r * stride + words_at + 4 * i, 4);
    }
    if (shape.half == HalfPlace::kNone) continue;
    for (int64_t r = 0; r < num_rows; ++r) std::memcpy(halves + (b * kTileRows + r) * 2, block + r * stride + half_at, 2);
  }
}

void unpack_tile_row(DType dtype, const uint8_t* tiles, int64_t n, int64_t K, uint8_t* row) {
  const TileShape shape = tile_shape(dtype, K);
  const int64_t block_bytes = dtype_info(dtype).block_bytes, r = n % kTileRows;
  const int64_t words_at = shape.half == HalfPlace::kFirst ? 2 : 0, half_at = shape.half == HalfPlace::kFirst ? 0 : block_bytes - 2;
  const uint8_t* tile = tiles + (n - r) * row_bytes(dtype, K);
  const uint8_t* halves = tile + shape.word_bytes();
  for (int64_t b = 0; b < shape.blocks; ++b, row += block_bytes) {
    const uint8_t* in = tile + b * shape.words_per_block * kTileRows * 4;
    for (int64_t i = 0; i < shape.words_per_block; ++i) std::memcpy(row + words_at + 4 * i, in + (i * kTileRows + r) * 4, 4);
    if (shape.half != HalfPlace::kNone) std::memcpy(row + half_at, halves + (b * kTileRows + r) * 2, 2);
  }
}

}  // namespace atelier::quant
