// Products of int8 activations with panels of decoded weights.
//
//   y[t, n] = sum over blocks of 32 inputs, ascending:  dx sum over their groups g of kGroup inputs ( dw (q_x . q_w) ) + offset_x min_w
//
// where dx, dw are the scales, and offset_x = dx * (sum of the group's q_x). The dot product of a group is exact in int32, the zero of the
// weights taken off; the float sums are chains of fused multiply-adds per output in the order of the groups (ScaledSum), so that no tile
// shape, no chunk and no ISA changes a bit of them.
#pragma once

#include "atelier/kernels/simd/panel.h"

namespace atelier::kernels {

// One block's part of a sum: its groups' dot products meet their own scale, then the block's scale of the activations.
template <class S, class Form>
struct ScaledSum {
  using F = typename S::F;

  // `group` counts within the block and is a constant once the caller's loop is unrolled.
  static void add(int group, typename S::I dot, F weight_scale, const float* row_scale, F& part, F& total) {
    if constexpr (Form::kGroup == kQuantBlock) {
      total = S::fma(S::from_int(dot), S::mul(weight_scale, S::set1(*row_scale)), total);
    } else if (group == 0) {
      part = S::mul(S::from_int(dot), weight_scale);
    } else {
      part = S::fma(S::from_int(dot), weight_scale, part);
      if (group == kQuantBlock / Form::kGroup - 1) total = S::fma(part, S::set1(*row_scale), total);
    }
  }
};

template <class S, class Form>
struct GemmInt8 {
  using F = typename S::F;
  using I = typename S::I;
  using Dot = typename S::template Dot<Form::kMax, Form::kZero>;

  static constexpr int kPanels = 2;                                       // multiplied together
  static constexpr int64_t kOutputs = kPanels * S::kLanes;                // of a tile
  static constexpr int64_t kVector = 4 * S::kLanes;                       // bytes of a vector of quants
  static constexpr int kSteps = Form::kGroup / 4;                         // vectors of quants in a group
  static constexpr int64_t kGroupsPerBlock = kQuantBlock / Form::kGroup;  // groups that share an activation scale

  // Inputs [first, first + count) of all K, whole blocks: what the panels hold.
  struct Chunk {
    int64_t first, count;
  };

  // The weights that are decoded next, asked for while these are multiplied: otherwise few rows would wait for memory and then compute.
  class Ahead {
   public:
    Ahead(const uint8_t* first, const uint8_t* second, int64_t bytes, int64_t num_steps)
        : spans_{first, second}, bytes_(bytes), step_((bytes / num_steps / kCacheLine + 1) * kCacheLine) {}

    // Called once per tile and group: `num_steps` times in all.
    void step() {
      for (int64_t i = 0; i < step_ && at_ < bytes_; i += kCacheLine, at_ += kCacheLine) {
        S::prefetch_l2(spans_[0] + at_);
        S::prefetch_l2(spans_[1] + at_);
      }
    }

   private:
    static constexpr int64_t kCacheLine = 64;
    const uint8_t* spans_[kPanels];
    int64_t bytes_, step_, at_ = 0;
  };
  static int64_t num_steps(int64_t T, int64_t count) { return (T + S::kInt8Rows - 1) / S::kInt8Rows * (count / Form::kGroup); }

  // All rows with two panels whose outputs start at output n of the block. y accumulates over the chunks; the bias comes last.
  static void multiply(const QuantizedRows& x, const Panel<S>* panels, Chunk chunk, const OutputBlock& block, int64_t n, Ahead ahead) {
    int64_t t = 0;
    for (; t + S::kInt8Rows <= x.T; t += S::kInt8Rows) tile<S::kInt8Rows>(x, t, panels, chunk, block, n, ahead);
    rest_of_rows<S::kInt8Rows - 1>(x, t, panels, chunk, block, n, ahead);
  }

 protected:
  static int lanes_at(const OutputBlock& block, int64_t n) {
    const int64_t left = block.N - n;
    return static_cast<int>(left < S::kLanes ? left : S::kLanes);
  }

 private:
  template <int R>
  static void rest_of_rows(const QuantizedRows& x, int64_t t, const Panel<S>* panels, Chunk chunk, const OutputBlock& block, int64_t n,
                           Ahead& ahead) {
    if constexpr (R > 0) {
      if (x.T - t == R) return tile<R>(x, t, panels, chunk, block, n, ahead);
      rest_of_rows<R - 1>(x, t, panels, chunk, block, n, ahead);
    }
  }

  // Exact dot products of one group, the zero of the weights taken off.
  template <int R>
  static void dots(const int8_t* const* x, const int32_t* const* sums, const uint8_t* const* quants, I (*out)[kPanels]) {
    Dot dot[R][kPanels];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      I start = S::zero_int();
      if constexpr (!Form::kHasMins) start = Dot::start(S::broadcast_int(sums[r]));
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p) dot[r][p].sum = start;
    }
#pragma GCC unroll 8
    for (int j = 0; j < kSteps; ++j) {
      I w[kPanels];
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p) w[p] = S::load_bytes(quants[p] + j * kVector);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const I four = S::broadcast4(x[r] + 4 * j);
#pragma GCC unroll 2
        for (int p = 0; p < kPanels; ++p) dot[r][p].step(j, w[p], four);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p) out[r][p] = dot[r][p].value(kSteps);
    }
  }

  // R rows from row t on with the outputs of two panels.
  template <int R>
  static void tile(const QuantizedRows& x, int64_t t, const Panel<S>* panels, Chunk chunk, const OutputBlock& block, int64_t n,
                   Ahead& ahead) {
    const int64_t blocks = x.K / kQuantBlock, first_block = chunk.first / kQuantBlock;
    const int8_t* rows[R];
    const float* scales[R];
    const float* offsets[R];
    const int32_t* sums[R];
    for (int r = 0; r < R; ++r) {
      const int64_t at = (t + r) * blocks + first_block;
      rows[r] = x.q + at * kQuantBlock;
      scales[r] = x.scale + at;
      offsets[r] = (Form::kGroup == 16 ? x.offset16 : x.offset32) + at * kGroupsPerBlock;
      sums[r] = (Form::kGroup == 16 ? x.sum16 : x.sum32) + at * kGroupsPerBlock;
    }
    const uint8_t* quants[kPanels] = {panels[0].quants, panels[1].quants};
    F total[R][kPanels];
    load_totals<R>(block, t, n, chunk.first == 0, total);
    for (int64_t b = 0; b < chunk.count / kQuantBlock; ++b) {
      F part[R][kPanels];
#pragma GCC unroll 2
      for (int i = 0; i < kGroupsPerBlock; ++i) {
        const int64_t g = b * kGroupsPerBlock + i;
        ahead.step();
        I products[R][kPanels];
        dots<R>(rows, sums, quants, products);
#pragma GCC unroll 2
        for (int p = 0; p < kPanels; ++p) {
          quants[p] += kSteps * kVector;
          const F scale = S::load(panels[p].scales + g * S::kLanes);
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r) ScaledSum<S, Form>::add(i, products[r][p], scale, scales[r] + b, part[r][p], total[r][p]);
          if constexpr (Form::kHasMins) {
            const F min = S::load(panels[p].mins + g * S::kLanes);
#pragma GCC unroll 8
            for (int r = 0; r < R; ++r) total[r][p] = S::fma(min, S::set1(offsets[r][g]), total[r][p]);
          }
        }
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          rows[r] += Form::kGroup;
          ++sums[r];
        }
      }
    }
    store_totals<R>(block, t, n, chunk.first + chunk.count == x.K, total);
  }

  template <int R>
  static void load_totals(const OutputBlock& block, int64_t t, int64_t n, bool is_first, F (*total)[kPanels]) {
    for (int p = 0; p < kPanels; ++p, n += S::kLanes) {
      const int lanes = lanes_at(block, n);
      for (int r = 0; r < R; ++r) {
        total[r][p] = is_first || lanes <= 0 ? S::zero() : S::load_partial(block.y + (t + r) * block.ldy + n, lanes);
      }
    }
  }

  template <int R>
  static void store_totals(const OutputBlock& block, int64_t t, int64_t n, bool is_last, const F (*total)[kPanels]) {
    for (int p = 0; p < kPanels; ++p, n += S::kLanes) {
      const int lanes = lanes_at(block, n);
      if (lanes <= 0) return;
      const bool adds_bias = is_last && block.bias != nullptr;
      const F bias = adds_bias ? S::load_partial(block.bias + n, lanes) : S::zero();
      for (int r = 0; r < R; ++r) {
        S::store_partial(block.y + (t + r) * block.ldy + n, adds_bias ? S::add(total[r][p], bias) : total[r][p], lanes);
      }
    }
  }
};

}  // namespace atelier::kernels
