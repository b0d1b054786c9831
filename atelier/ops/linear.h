// Affine maps of rows, several at once when they share their input (query, key and value; gate and up), with or without a low-rank
// addition.
//
//   y[t, n] = sum_k x[t, k] * weight[n, k] + bias[n]  (+ scale * sum_r h[t, r] * b[n, r],  h[t, r] = sum_k x'[t, k] * a[r, k])
//
// x' is x, or x with some of its values dropped.
//
// Shapes   x [T, K] F32   weight [N, K] of any weight type, block types in tiles   bias [N] F32 or none   a [R, K] F32   b [N, R] F32
//          ->   y [T, N] F32 in the context's arena
// Errors   ShapeError "[linear] x is [4, 8], weight is [16, 9]"; DTypeError when x or bias is not F32
// Cost     one read of the weights, 2 T N K operations; see kernels::linear for the order of sums
// Gradient x, weight (float types), bias, a, b. dx from a weight of a block type uses its float values (QLoRA)
// Source   low-rank additions: Hu et al. 2021, arXiv:2106.09685; Dettmers et al. 2023, arXiv:2305.14314
#pragma once

#include <span>

#include "atelier/ops/context.h"
#include "atelier/ops/dropout.h"
#include "atelier/ops/linear_input.h"

namespace atelier::ops {

struct LowRank {
  Tensor a;  // [R, K]; no tensor: no addition
  Tensor b;  // [N, R]
  float scale = 1;
};

struct LinearArgs {
  const Tensor* weight;               // [N, K]
  const Tensor* bias;                 // [N], or null or an empty tensor
  Tensor* y;                          // out
  const LowRank* low_rank = nullptr;  // or null
  bool adds = false;                  // y [T, N] is there and is added to; not with a tape or a low-rank addition
};

// How the products behind a weight's gradients are formed: of bfloat16 where the forward pass rounded to bfloat16 or less.
kernels::Compute backward_compute(Precision precision, DType weight);

// y += scale * x a^T b^T in float32; returns x a^T. Not recorded.
Tensor add_low_rank(Context& context, const Tensor& x, const LowRank& low_rank, float scale, Tensor& y);

// `dropped` are what low-rank additions read instead of the rows: none unless it drops something.
void linear_group(Context& context, const LinearInput& input, std::span<const LinearArgs> group, const DropoutRows& dropped = {});
Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace atelier::ops
