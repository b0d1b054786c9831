#include "atelier/quant/tiles.h"

#include <cstring>

#include "atelier/base/function_ref.h"

namespace atelier::quant {
namespace {

constexpr int64_t kWordLine = kTileRows * 4, kHalfLine = kTileRows * 2;  // bytes of one word, of one half of all rows

// One field of a block: where the file's row has it, and where the tile has it for row 0.
struct Field {
  int64_t in_row, in_tile, bytes;
};

// Calls visit for every field of a row of K inputs, in the order of the tile.
void visit_fields(DType dtype, int64_t K, FunctionRef<void(const Field&)> visit) {
  const DTypeInfo& info = dtype_info(dtype);
  const int64_t blocks = K / info.block_size, words = info.block_bytes / 4;
  const bool has_half = info.block_bytes % 4 != 0, is_half_first = info.block_size == 32;  // K formats keep their half at the end
  const int64_t half_at = is_half_first ? 0 : info.block_bytes - 2, words_at = has_half && is_half_first ? 2 : 0;
  int64_t at = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    if (has_half && b % 2 == 0) {
      const int64_t pair = blocks - b < 2 ? 1 : 2;
      for (int64_t i = 0; i < pair; ++i) visit({(b + i) * info.block_bytes + half_at, at + i * kHalfLine, 2});
      at += pair * kHalfLine;
    }
    for (int64_t i = 0; i < words; ++i, at += kWordLine) visit({b * info.block_bytes + words_at + 4 * i, at, 4});
  }
}

}  // namespace

int64_t tiled_bytes(DType dtype, int64_t N, int64_t K) { return (N + kTileRows - 1) / kTileRows * kTileRows * row_bytes(dtype, K); }

void pack_tile(DType dtype, const uint8_t* rows, int64_t num_rows, int64_t K, uint8_t* tile) {
  const int64_t stride = row_bytes(dtype, K);
  if (num_rows < kTileRows) std::memset(tile, 0, static_cast<size_t>(kTileRows * stride));
  visit_fields(dtype, K, [&](const Field& field) {
    const uint8_t* src = rows + field.in_row;
    uint8_t* dst = tile + field.in_tile;
    if (field.bytes == 4) {
      for (int64_t r = 0; r < num_rows; ++r) std::memcpy(dst + r * 4, src + r * stride, 4);
    } else {
      for (int64_t r = 0; r < num_rows; ++r) std::memcpy(dst + r * 2, src + r * stride, 2);
    }
  });
}

void unpack_tile_row(DType dtype, const uint8_t* tiles, int64_t n, int64_t K, uint8_t* row) {
  const int64_t r = n % kTileRows;
  const uint8_t* tile = tiles + (n - r) * row_bytes(dtype, K);
  visit_fields(dtype, K, [&](const Field& field) {
    std::memcpy(row + field.in_row, tile + field.in_tile + r * field.bytes, static_cast<size_t>(field.bytes));
  });
}

}  // namespace atelier::quant
