// The products of tiles at their best: on registers alone, four independent sums as in the real kernels.
#pragma once

#include "atelier/kernels/simd/peak.h"
#include "atelier/kernels/simd/tiles.h"

namespace atelier::kernels {

struct PeakTiles {
  static int64_t bf16(int64_t rounds, float* memory) {
    return run(rounds, memory, 2, [] {
      Tiles::add_bf16<0, 4, 6>();
      Tiles::add_bf16<1, 4, 7>();
      Tiles::add_bf16<2, 5, 6>();
      Tiles::add_bf16<3, 5, 7>();
    });
  }
  static int64_t int8(int64_t rounds, float* memory) {
    return run(rounds, memory, 4, [] {
      Tiles::add_int8<0, 4, 6>();
      Tiles::add_int8<1, 4, 7>();
      Tiles::add_int8<2, 5, 6>();
      Tiles::add_int8<3, 5, 7>();
    });
  }

 private:
  // `products`: one step of all four sums.
  template <class Products>
  static int64_t run(int64_t rounds, float* memory, int64_t inputs_per_word, const Products& products) {
    const Tiles tiles(TileShapes::all_whole());
    Tiles::clear<0>();
    Tiles::clear<1>();
    Tiles::clear<2>();
    Tiles::clear<3>();
    Tiles::load<4>(memory, 0);  // one line, sixteen times
    Tiles::load<5>(memory, 0);
    Tiles::load<6>(memory, 0);
    Tiles::load<7>(memory, 0);
    for (int64_t i = 0; i < rounds; ++i) {
      for (int step = 0; step < kPeakSteps; ++step) products();
    }
    return rounds * kPeakSteps * 4 * kTileRows * kTileWords * kTileWords * inputs_per_word * 2;
  }
};

}  // namespace atelier::kernels
