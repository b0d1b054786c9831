// The tile registers of AMX: eight of them, each up to sixteen rows of 64 bytes, and products of two of them added to a third.
//
//   c[m][n] += sum over words w of a[m][w] . b[w][n]
//
// A word is 32 bits: four int8 inputs of a sum, exact in int32, or two bfloat16 inputs. In bfloat16 a product adds the sum of the words'
// first inputs and that of their second ones, each summed in ascending order, rounded to nearest even, denormals taken for zero (Intel
// SDM, TDPBF16PS). The order depends neither on m and n nor on which operand is called a.
//
// The compiler knows no tile: a Tiles object sets their shapes, as long as it lives the functions below use them, and its end gives them
// back, so that neither other code on the thread nor the operating system meets them.
#pragma once

#include <cstdint>

#include "atelier/kernels/simd/intrinsics.h"

namespace atelier::kernels {

inline constexpr int64_t kTileRows = 16, kTileWords = 16, kTileBytes = 64;  // of a whole tile; words and bytes of a row

// Rows and bytes of a row of every tile, as LDTILECFG reads them.
struct TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  constexpr TileShapes& set(int tile, int64_t num_rows, int64_t num_bytes) {
    rows[tile] = static_cast<uint8_t>(num_rows);
    row_bytes[tile] = static_cast<uint16_t>(num_bytes);
    return *this;
  }
  static constexpr TileShapes all_whole() {
    TileShapes shapes;
    for (int tile = 0; tile < 8; ++tile) shapes.set(tile, kTileRows, kTileBytes);
    return shapes;
  }
};
static_assert(sizeof(TileShapes) == 64);

#ifdef ATELIER_EMULATE_ISA
using Tiles = emulation::Tiles<TileShapes>;
#else
class Tiles {
 public:
  explicit Tiles(const TileShapes& shapes) { __asm__ volatile("ldtilecfg %0" : : "m"(shapes)); }
  ~Tiles() { __asm__ volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  // Rows of the tile, `stride` bytes apart.
  template <int kTile>
  static void load(const void* rows, int64_t stride) {
    __asm__ volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(kTile), "r"(rows), "r"(stride) : "memory");
  }
  template <int kTile>
  static void store(void* rows, int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(kTile), "r"(rows), "r"(stride) : "memory");
  }
  template <int kTile>
  static void clear() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kC, int kA, int kB>
  static void add_bf16() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }
  template <int kC, int kA, int kB>
  static void add_int8() {
    __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }
};
#endif

}  // namespace atelier::kernels
