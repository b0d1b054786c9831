#include "atelier/quant/tiles.h"

#include <cstring>

namespace atelier::quant {
namespace {

constexpr int64_t kWordLine = kTileRows * 4, kHalfLine = kTileRows * 2;  // bytes of one word, of one half of all rows

// Fields of a block that follow each other: words, or one half float. Where the file's row has the first, and where the tile has it for row
// 0.
struct Run {
  int64_t in_row, in_tile;
  int64_t words;  // 0: a half float
};

// Calls visit for all runs of a row of K inputs.
template <typename Visit>
void visit_runs(DType dtype, int64_t K, const Visit& visit) {
  const DTypeInfo& info = dtype_info(dtype);
  const int64_t blocks = K / info.block_size, words = info.block_bytes / 4;
  const bool has_half = info.block_bytes % 4 != 0, is_half_first = info.block_size == 32;  // K formats keep their half at the end
  const int64_t half_at = is_half_first ? 0 : info.block_bytes - 2, words_at = has_half && is_half_first ? 2 : 0;
  int64_t at = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    if (has_half && b % 2 == 0) {
      const int64_t pair = blocks - b < 2 ? 1 : 2;
      for (int64_t i = 0; i < pair; ++i) visit(Run{(b + i) * info.block_bytes + half_at, at + i * kHalfLine, 0});
      at += pair * kHalfLine;
    }
    visit(Run{b * info.block_bytes + words_at, at, words});
    at += words * kWordLine;
  }
}

using FourWords = uint32_t __attribute__((vector_size(16)));

FourWords load(const uint8_t* p) {
  FourWords words;
  std::memcpy(&words, p, sizeof words);
  return words;
}

// Four words of each of kTileRows rows, `stride` bytes apart: a transposition of 4 x 4 words for four rows at a time.
void interleave_four(const uint8_t* rows, int64_t stride, uint8_t* lines) {
  for (int64_t r = 0; r < kTileRows; r += 4) {
    const FourWords a = load(rows + r * stride), b = load(rows + (r + 1) * stride);
    const FourWords c = load(rows + (r + 2) * stride), d = load(rows + (r + 3) * stride);
    const FourWords ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const FourWords cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const FourWords columns[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                                  __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                                  __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < 4; ++i) std::memcpy(lines + i * kWordLine + r * 4, &columns[i], sizeof columns[i]);
  }
}

}  // namespace

int64_t tiled_bytes(DType dtype, int64_t N, int64_t K) { return (N + kTileRows - 1) / kTileRows * kTileRows * row_bytes(dtype, K); }

void pack_tile(DType dtype, const uint8_t* rows, int64_t num_rows, int64_t K, uint8_t* tile) {
  const int64_t stride = row_bytes(dtype, K);
  if (num_rows < kTileRows) std::memset(tile, 0, static_cast<size_t>(kTileRows * stride));
  visit_runs(dtype, K, [&](const Run& run) {
    const uint8_t* src = rows + run.in_row;
    uint8_t* dst = tile + run.in_tile;
    if (run.words == 0) {
      for (int64_t r = 0; r < num_rows; ++r) std::memcpy(dst + r * 2, src + r * stride, 2);
    }
    int64_t i = 0;
    for (; num_rows == kTileRows && i + 4 <= run.words; i += 4) interleave_four(src + 4 * i, stride, dst + i * kWordLine);
    for (; i < run.words; ++i) {
      for (int64_t r = 0; r < num_rows; ++r) std::memcpy(dst + i * kWordLine + r * 4, src + 4 * i + r * stride, 4);
    }
  });
}

void unpack_tile_row(DType dtype, const uint8_t* tiles, int64_t n, int64_t K, uint8_t* row) {
  const int64_t r = n % kTileRows;
  const uint8_t* tile = tiles + (n - r) * row_bytes(dtype, K);
  visit_runs(dtype, K, [&](const Run& run) {
    if (run.words == 0) std::memcpy(row + run.in_row, tile + run.in_tile + r * 2, 2);
    for (int64_t i = 0; i < run.words; ++i) std::memcpy(row + run.in_row + 4 * i, tile + run.in_tile + i * kWordLine + r * 4, 4);
  });
}

}  // namespace atelier::quant
