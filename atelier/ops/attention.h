// Scaled dot-product attention of query rows over cached keys and values.
//
//   out[t, h, :] = sum_s softmax_s(scale * q[t, h, :] . k[s, g, :]) v[s, g, :],   g = h / (H / G)
//
// Shapes   q [T, H * D] F32   runs: which rows belong to which sequence, at which positions, and its keys and values
//          ->   out [T, H * D] F32 in the arena
// Products of bfloat16 where the CPU has them, unless the precision is kF32
// Errors   ShapeError when q's width is not H * D, H no multiple of G, or a run leaves q
// Source   Vaswani et al. 2017, arXiv:1706.03762; grouped queries: Ainslie et al. 2023, arXiv:2305.13245
#pragma once

#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor attention(Context& context, const kernels::AttentionShape& shape, std::span<const kernels::AttentionRun> runs, const Tensor& q);

// Rotates each head of x [T, num_heads * D] in place. position: T entries; cos and sin: [P, R / 2] with P above every position.
// Source   Su et al. 2021, arXiv:2104.09864
void rotary_inplace(Tensor& x, int64_t num_heads, std::span<const int32_t> position, const Tensor& cos, const Tensor& sin,
                    kernels::RotaryLayout layout);

}  // namespace atelier::ops
