// Weights of block formats as the kernels read them: the file's own bits, sixteen rows at a time, interleaved.
//
// A tile is kTileRows consecutive rows of a [N, K] matrix. Seen row by row, a block is a run of 32-bit words and, in formats whose block
// is not a multiple of four bytes, one half float at its beginning or end. In a tile what has the same place in all rows stands side by
// side, so that one vector load meets the same inputs of sixteen outputs:
//
//   without a half   [blocks] words [words of a block][kTileRows] uint32
//   with a half      [pairs of blocks] halves [2][kTileRows] uint16, then words [2][words of a block][kTileRows] uint32;
//                    a last single block has one line of halves of its own
//
// A pair of blocks keeps words at multiples of 64 bytes, and everything is read in ascending order, once. A tile has the bytes of its rows,
// no more: kTileRows * row_bytes. The last tile of a matrix is filled up with zero rows. Sums do not depend on the layout; it is what lets
// a matrix-vector product run at the speed of the memory (docs/develop/performance.md).
#pragma once

#include <cstdint>

#include "atelier/base/dtype.h"

namespace atelier::quant {

inline constexpr int64_t kTileRows = 16;

// Bytes of the tiles of a [N, K] matrix of a block format.
int64_t tiled_bytes(DType dtype, int64_t N, int64_t K);

// Writes the tile of `num_rows` (1 to kTileRows) consecutive rows at `rows` to `tile`.
void pack_tile(DType dtype, const uint8_t* rows, int64_t num_rows, int64_t K, uint8_t* tile);

// Row `n` of a tiled matrix in the file's layout: row_bytes(dtype, K) bytes at `row`.
void unpack_tile_row(DType dtype, const uint8_t* tiles, int64_t n, int64_t K, uint8_t* row);

}  // namespace atelier::quant
