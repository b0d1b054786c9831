// Scaled dot-product attention of query rows over keys and values, and rotary positions.
//
//   out[t, h, :] = sum_s softmax_s(scale * q[t, h, :] . k[s, g, :]) v[s, g, :],   g = h / (H / G)
//
// Shapes   q [T, H * D] F32   ->   out [T, H * D] F32 in the arena
//   attention            over cached keys and values; runs: which rows belong to which sequence, at which positions, and its cache
//   document_attention   over k, v [S, G * D] of whole documents laid end to end: the rows' own, or those of another sequence for each
//                        document (cross-attention). The same kernel as over a float32 cache, so the same bits
// A row sees the keys up to its own position, and those of its run's or document's prefix: causal without one, bidirectional when that is
// all of it, a prefix LM between. Of another sequence it sees all keys
// relative_bias [H, 2 * reach + 1] F32 is added to the scores by distance (kernels::AttentionShape)
// Products of bfloat16 where the CPU has them, unless the precision is kF32
// Errors   ShapeError when q's width is not H * D, H no multiple of G, or a run leaves q
// Gradient document_attention: q, k, v, relative_bias. Weights are computed again from each query's log-sum
// Source   Vaswani et al. 2017, arXiv:1706.03762; grouped queries: Ainslie et al. 2023, arXiv:2305.13245; backward: Dao 2023,
// arXiv:2307.08691
#pragma once

#include <span>

#include "atelier/kernels/gradients.h"
#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor attention(Context& context, const kernels::AttentionShape& shape, std::span<const kernels::AttentionRun> runs, const Tensor& q);

// `documents` and the shape's slopes live until the tape's walk. The shape has no bias of its own.
Tensor document_attention(Context& context, const kernels::AttentionShape& shape, std::span<const kernels::DocumentRows> documents,
                          const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& relative_bias = {});

// The shape with a bias [H, 2 * reach + 1], which lives as long as the shape is used; without one the shape as it is.
kernels::AttentionShape with_bias(kernels::AttentionShape shape, const Tensor& relative_bias);

// Rotates each head of x [T, num_heads * D] in place; with a tape into a new tensor unless a node made x, which must not
// need it. position: T entries; cos and sin: [P, R / 2]
// with P above every position; all three live until the tape's walk. Gradient: dy turned back.
// Source   Su et al. 2021, arXiv:2104.09864
void rotary_inplace(Context& context, Tensor& x, int64_t num_heads, std::span<const int32_t> position, const Tensor& cos, const Tensor& sin,
                    kernels::RotaryLayout layout);

}  // namespace atelier::ops
