// What turns the rows of an adapted weight to a learned length (DoRA).
//
//   gain[n] = magnitude[n] / | W[n, :] + scale * sum_r b[n, r] a[r, :] |
//
// The length under the fraction is taken as a constant: the walk back gives magnitude alone a gradient (section 4.3 of the paper). It comes
// from  |W|^2 + 2 scale b . (W a^T) + scale^2 b (a a^T) b^T,  so that W is read as it lies, once, and never widened whole.
//
// Shapes   weight [N, K] of any weight type   squares [N]: of the rows of W   magnitude [N] F32   ->   gain [N] F32 in the arena
// Source   Liu et al. 2024, arXiv:2402.09353
#pragma once

#include "atelier/ops/linear.h"

namespace atelier::ops {

Tensor row_gain(Context& context, const Tensor& weight, const Tensor& squares, const LowRank& low_rank, const Tensor& magnitude);

}  // namespace atelier::ops
