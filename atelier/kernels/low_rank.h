// Low-rank additions to a linear layer, forward and backward: products with one short side, R of a few to a few dozen, which are bound by
// reading x and dy. All in float32; the wide operand is read once, where it lies.          (Hu et al. 2021, arXiv:2106.09685)
//
//   h[t, r] = sum_k x[t, k] a[r, k]                y[t, n] += scale sum_r h[t, r] b[n, r]
//
// Shapes  x [T, K]  a [R, K]  b [N, R]  h [T, R]  y [T, N], all contiguous
// Order of sums: h as kernels::linear; y one chain over r
#pragma once

#include <cstdint>

namespace atelier::kernels {

struct LowRankShape {
  int64_t T, K, N, R;
};

void low_rank_forward(const LowRankShape& shape, const float* x, const float* a, const float* b, float scale, float* h, float* y);

// The gradient of x is that of a linear whose weight is a and whose dy is dh: linear_backward_input takes it with the product beside it.
struct LowRankGradients {
  float* da;  // [R, K], added to
  float* db;  // [N, R], added to
  float* dh;  // [T, R], written: scale dy b
};
void low_rank_backward(const LowRankShape& shape, const float* x, const float* b, float scale, const float* h, const float* dy,
                       const LowRankGradients& out);

}  // namespace atelier::kernels
