// Products of int8 activations with a panel of decoded weights.
//
//   y[t, n] = sum over groups g of kGroup inputs, ascending:  dx dw (q_x . q_w) + sum_x min_w
//
// where dx, dw are the scales, and sum_x = dx * (sum of the group's q_x). The dot product of a group is exact in int32; the float sum
// is one chain of fused multiply-adds per output in the order of the groups, so that no tile shape, and no ISA, changes a bit of it.
#pragma once

#include "atelier/kernels/simd/panel.h"

namespace atelier::kernels {

// The running dot product for quants in [0, kMax], or for signed ones (0).
template <class S, int kMax>
struct DotOf {
  using Type = typename S::template Dot<kMax>;
};
template <class S>
struct DotOf<S, 0> {
  using Type = typename S::SignedDot;
};

template <class S, class Form>
struct GemmInt8 {
  using F = typename S::F;
  using I = typename S::I;

  static constexpr int64_t kVector = 4 * S::kLanes;                       // bytes of a vector of quants
  static constexpr int kSteps = Form::kGroup / 4;                         // vectors of quants in a group
  static constexpr int64_t kGroupsPerBlock = kQuantBlock / Form::kGroup;  // groups that share an activation scale

  // Exact dot products of one group: R rows with P panels.
  template <int R, int P>
  static void dots(const int8_t* const* x, int64_t at, const uint8_t* const* quants, I (*out)[P]) {
    typename DotOf<S, Form::kMax>::Type sums[R][P];
#pragma GCC unroll 8
    for (int j = 0; j < kSteps; ++j) {
      I w[P];
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) w[p] = S::load_bytes(quants[p] + j * kVector);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const I four = S::broadcast4(x[r] + at + 4 * j);
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p) sums[r][p].step(j, w[p], four);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) out[r][p] = sums[r][p].value(kSteps);
    }
  }

  // y[r, p * kLanes + lane] for R rows from row t on and P panels; `y` is [R][P * kLanes].
  template <int R, int P>
  static void tile(const QuantizedRows& x, int64_t t, const Panel<S>* panels, float* y) {
    const int64_t blocks = x.K / kQuantBlock;
    const int8_t* rows[R];
    for (int r = 0; r < R; ++r) rows[r] = x.q + (t + r) * x.K;
    const uint8_t* quants[P];
    for (int p = 0; p < P; ++p) quants[p] = panels[p].quants;
    const float* sums = Form::kGroup == 16 ? x.sum16 : x.sum32;
    F total[R][P];
    for (int r = 0; r < R; ++r) {
      for (int p = 0; p < P; ++p) total[r][p] = S::zero();
    }
    for (int64_t g = 0; g < blocks * kGroupsPerBlock; ++g) {
      I products[R][P];
      dots<R, P>(rows, g * Form::kGroup, quants, products);
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) {
        quants[p] += kSteps * kVector;
        const F scale = S::load(panels[p].scales + g * S::kLanes);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
          const F both = S::mul(scale, S::set1(x.scale[(t + r) * blocks + g / kGroupsPerBlock]));
          total[r][p] = S::fma(S::from_int(products[r][p]), both, total[r][p]);
        }
        if constexpr (!Form::kSigned) {
          const F min = S::load(panels[p].mins + g * S::kLanes);
#pragma GCC unroll 4
          for (int r = 0; r < R; ++r) {
            total[r][p] = S::fma(min, S::set1(sums[(t + r) * blocks * kGroupsPerBlock + g]), total[r][p]);
          }
        }
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int p = 0; p < P; ++p) S::store(y + (r * P + p) * S::kLanes, total[r][p]);
    }
  }

  // All rows with P panels that start at output n of the block.
  template <int P>
  static void multiply(const QuantizedRows& x, const Panel<S>* panels, const OutputBlock& block, int64_t n) {
    int64_t t = 0;
    for (; t + 4 <= x.T; t += 4) rows<4, P>(x, t, panels, block, n);
    if (x.T - t == 3) rows<3, P>(x, t, panels, block, n);
    if (x.T - t == 2) rows<2, P>(x, t, panels, block, n);
    if (x.T - t == 1) rows<1, P>(x, t, panels, block, n);
  }

 private:
  template <int R, int P>
  static void rows(const QuantizedRows& x, int64_t t, const Panel<S>* panels, const OutputBlock& block, int64_t n) {
    alignas(64) float y[R * P * S::kLanes];
    tile<R, P>(x, t, panels, y);
    const int64_t count = block.N - n < P * S::kLanes ? block.N - n : P * S::kLanes;
    for (int r = 0; r < R; ++r) {
      float* out = block.y + (t + r) * block.ldy + n;
      for (int64_t i = 0; i < count; i += S::kLanes) {
        const int lanes = static_cast<int>(count - i < S::kLanes ? count - i : S::kLanes);
        F sum = S::load(y + r * P * S::kLanes + i);
        if (block.bias) sum = S::add(sum, S::load_partial(block.bias + n + i, lanes));
        S::store_partial(out + i, sum, lanes);
      }
    }
  }
};

}  // namespace atelier::kernels
