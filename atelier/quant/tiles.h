// Weights of block formats as the kernels read them: the file's own bits, sixteen rows at a time, interleaved.
//
// A tile is kTileRows consecutive rows of a [N, K] matrix. Seen row by row, a block is a run of 32-bit words and, in formats whose block
// is not a multiple of four bytes, one half float at its beginning or end (`HalfPlace`). In a tile the words of all rows that have the
// same place stand side by side, so that one vector load meets the same inputs of sixteen outputs:
//
//   words   [blocks][words of a block][kTileRows]   uint32
//   halves  [blocks][kTileRows]                     uint16, of formats that have one
//
// A tile has the bytes of its rows, no more: tile_bytes = kTileRows * row_bytes. The last tile of a matrix is filled up with zero rows.
// Sums do not depend on the layout; it is what lets a matrix-vector product run at the speed of the memory (docs/develop/performance.md).
#pragma once

#include <cstdint>

#include "atelier/base/dtype.h"

namespace atelier::quant {

inline constexpr int64_t kTileRows = 16;

enum class HalfPlace : uint8_t { kNone, kFirst, kLast };

struct TileShape {
  int64_t blocks;           // of a row
  int64_t words_per_block;  // 32-bit words, the half float left out
  HalfPlace half;

  int64_t word_bytes() const { return blocks * words_per_block * kTileRows * 4; }  // where the halves begin
};

// `dtype` is a block format, K a multiple of its block.
TileShape tile_shape(DType dtype, int64_t K);

// Bytes of the tiles of a [N, K] matrix.
int64_t tiled_bytes(DType dtype, int64_t N, int64_t K);

// Writes the tile of `num_rows` (1 to kTileRows) consecutive rows at `rows` to `tile`.
void pack_tile(DType dtype, const uint8_t* rows, int64_t num_rows, int64_t K, uint8_t* tile);

// Row `n` of a tiled matrix in the file's layout: row_bytes(dtype, K) bytes at `row`.
void unpack_tile_row(DType dtype, const uint8_t* tiles, int64_t n, int64_t K, uint8_t* row);

}  // namespace atelier::quant
