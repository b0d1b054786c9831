// Products of int8 activations with panels of decoded weights as products of tiles (simd/tiles.h): a group of a panel is a tile as it lies.
//
// Panels hold quants with their zero taken off, so that the dot products of a group are GemmInt8's, exact; the float sums are the same
// chains (ScaledSum). No bit depends on which of the two computes a row. The products of the next block are on their way while scales
// meet the present ones.
#pragma once

#include "atelier/kernels/simd/attention_products.h"
#include "atelier/kernels/simd/gemm_int8.h"
#include "atelier/kernels/simd/tiles.h"

namespace atelier::kernels {

template <class S, class Form>
class GemmInt8Tiles : public GemmInt8<S, Form> {
  using Base = GemmInt8<S, Form>;
  using F = typename S::F;
  using I = typename S::I;
  using Base::kGroupsPerBlock;
  using Base::kPanels;

  static constexpr int64_t kGroupBytes = Form::kGroup * S::kLanes;  // of a panel
  static constexpr int64_t kSums = kTileRows * kTileWords;
  static_assert(kTileWords == S::kLanes);

 public:
  using typename Base::Ahead;
  using typename Base::Chunk;

  static constexpr int64_t kFewest = 17;  // rows for which tiles are faster than vectors

  static int64_t num_steps(int64_t T, int64_t count) { return (T + kTileRows - 1) / kTileRows * (count / kQuantBlock) * kPanels; }

  // As GemmInt8's. Sixteen rows of x can be read from any row that is a multiple of sixteen.
  static void multiply(const QuantizedRows& x, const Panel<S>* panels, Chunk chunk, const OutputBlock& block, int64_t n, Ahead ahead) {
    TileShapes shapes;
    for (int i = 0; i < 4; ++i) shapes.set(i, kTileRows, kTileBytes);
    shapes.set(4, kTileRows, Form::kGroup).set(5, Form::kGroup / 4, kTileBytes);
    const Tiles tiles(shapes);
    Factors factors;
    for (int64_t t = 0; t < x.T; t += kTileRows) {
      factors.turn(x, t, chunk);
      for (int p = 0; p < kPanels && n + p * S::kLanes < block.N; ++p) {
        const int64_t left = x.T - t;
        if (left > 12) {
          rows<16>(x, factors, t, panels[p], chunk, block, n + p * S::kLanes, ahead);
        } else if (left > 8) {
          rows<12>(x, factors, t, panels[p], chunk, block, n + p * S::kLanes, ahead);
        } else {
          rows<8>(x, factors, t, panels[p], chunk, block, n + p * S::kLanes, ahead);
        }
      }
    }
  }

 private:
  // What sixteen rows bring to the blocks of a chunk, row beside row.
  struct Factors {
    alignas(64) float scales[kInt8Chunk / kQuantBlock][kTileRows];
    alignas(64) float offsets[Form::kHasMins ? kInt8Chunk / Form::kGroup : 1][kTileRows];

    void turn(const QuantizedRows& x, int64_t t, const Chunk& chunk) {
      const int64_t blocks = x.K / kQuantBlock, first = t * blocks + chunk.first / kQuantBlock, count = chunk.count / kQuantBlock;
      turn_rows(x.scale + first, blocks, count, scales);
      if constexpr (Form::kHasMins) {
        const float* of_groups = (Form::kGroup == 16 ? x.offset16 : x.offset32) + first * kGroupsPerBlock;
        turn_rows(of_groups, blocks * kGroupsPerBlock, count * kGroupsPerBlock, offsets);
      }
    }

   private:
    static void turn_rows(const float* rows, int64_t stride, int64_t count, float (*out)[kTileRows]) {
      for (int64_t i = 0; i < count; i += kTileRows) {
        F square[kTileRows];
#pragma GCC unroll 16
        for (int64_t r = 0; r < kTileRows; ++r) square[r] = load_left<S>(rows + r * stride + i, count - i);
        S::transpose_square(square);
        const int64_t left = count - i < kTileRows ? count - i : kTileRows;
        for (int64_t j = 0; j < left; ++j) S::store(out[i + j], square[j]);
      }
    }
  };

  // At most R rows from row t on with the outputs of a panel. The compiler takes a tile's access to memory for one to everything, and keeps
  // the sums in registers only if it has never seen them in an array with a changing index: hence for_each_constant.
  template <int R>
  static void rows(const QuantizedRows& x, const Factors& factors, int64_t t, const Panel<S>& panel, const Chunk& chunk,
                   const OutputBlock& block, int64_t n, Ahead& ahead) {
    const int64_t blocks = x.K / kQuantBlock, num_blocks = chunk.count / kQuantBlock;
    const int64_t at = t * blocks + chunk.first / kQuantBlock, num_rows = x.T - t < R ? x.T - t : R;
    const int8_t* quants = x.q + at * kQuantBlock;
    const int lanes = Base::lanes_at(block, n);
    float* y = block.y + t * block.ldy + n;
    const bool is_first = chunk.first == 0;
    F total[R];
    for_each_constant<R>([&](auto r) ATELIER_INLINE_LAMBDA {
      total[r] = is_first || r >= num_rows ? S::zero() : S::load_partial(y + r * block.ldy, lanes);
    });
    const auto add_mins = [&](const float* mins, const float* of_rows) ATELIER_INLINE_LAMBDA {
      const F min = S::load(mins);
      for_each_constant<R>([&](auto r) ATELIER_INLINE_LAMBDA { total[r] = S::fma(min, S::set1(of_rows[r]), total[r]); });
    };
    alignas(64) int32_t dots[2][kGroupsPerBlock * kSums];
    multiply_block(quants, x.K, panel.quants, dots[0]);
    for (int64_t b = 0; b < num_blocks; ++b) {
      ahead.step();
      if (b + 1 < num_blocks) {
        multiply_block(quants + (b + 1) * kQuantBlock, x.K, panel.quants + (b + 1) * kGroupsPerBlock * kGroupBytes, dots[(b + 1) % 2]);
      }
      const int32_t* sums = dots[b % 2];
      const int64_t g = b * kGroupsPerBlock, last = g + kGroupsPerBlock - 1;
      // As GemmInt8 adds them: the first of two groups in a block has no whole product yet.
      if constexpr (Form::kHasMins && kGroupsPerBlock == 2) add_mins(panel.mins + g * S::kLanes, factors.offsets[g]);
      F weight_scales[kGroupsPerBlock];
      for_each_constant<kGroupsPerBlock>([&](auto i)
                                             ATELIER_INLINE_LAMBDA { weight_scales[i] = S::load(panel.scales + (g + i) * S::kLanes); });
      for_each_constant<R>([&](auto r) ATELIER_INLINE_LAMBDA {
        F part;
        for_each_constant<kGroupsPerBlock>([&](auto i) ATELIER_INLINE_LAMBDA {
          const I dot = S::load_bytes(reinterpret_cast<const uint8_t*>(sums + i * kSums + r * kTileWords));
          ScaledSum<S, Form>::add(i, dot, weight_scales[i], factors.scales[b] + r, part, total[r]);
        });
      });
      if constexpr (Form::kHasMins) add_mins(panel.mins + last * S::kLanes, factors.offsets[last]);
    }
    const bool adds_bias = chunk.first + chunk.count == x.K && block.bias != nullptr;
    const F bias = adds_bias ? S::load_partial(block.bias + n, lanes) : S::zero();
    for_each_constant<R>([&](auto r) ATELIER_INLINE_LAMBDA {
      if (r < num_rows) S::store_partial(y + r * block.ldy, adds_bias ? S::add(total[r], bias) : total[r], lanes);
    });
  }

  // The dot products of the groups of one block.
  static void multiply_block(const int8_t* x, int64_t K, const uint8_t* quants, int32_t* out) {
    Tiles::load<4>(x, K);
    Tiles::load<5>(quants, kTileBytes);
    Tiles::clear<0>();
    Tiles::add_int8<0, 4, 5>();
    Tiles::store<0>(out, kTileBytes);
    if constexpr (kGroupsPerBlock == 2) {
      Tiles::load<4>(x + Form::kGroup, K);
      Tiles::load<5>(quants + kGroupBytes, kTileBytes);
      Tiles::clear<1>();
      Tiles::add_int8<1, 4, 5>();
      Tiles::store<1>(out + kSums, kTileBytes);
    }
  }
};

}  // namespace atelier::kernels
