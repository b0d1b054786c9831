// Affine maps of rows, several at once when they share their input (query, key and value; gate and up).
//
//   y[t, n] = sum_k x[t, k] * weight[n, k] + bias[n]
//
// Shapes   x [T, K] F32   weight [N, K] of any weight type, block types in tiles   bias [N] F32 or none   ->   y [T, N] F32 in the
// context's arena Errors   ShapeError "[linear] x is [4, 8], weight is [16, 9]"; DTypeError when x or bias is not F32 Cost     one read of
// the weights, 2 T N K operations; see kernels::linear for the order of sums
#pragma once

#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

struct LinearArgs {
  const Tensor* weight;  // [N, K]
  const Tensor* bias;    // [N], or null or an empty tensor
  Tensor* y;             // out
};

void linear_group(Context& context, const Tensor& x, std::span<const LinearArgs> group);
Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace atelier::ops
