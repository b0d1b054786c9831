// Biases of attention by the distance between key and query, learned in buckets of distances.
//
//   y[h, i] = table[buckets[i], h]        i = 0 .. 2 * reach: distances -reach .. reach
//
// Shapes   table [N, H] of any weight type   buckets: an odd number of [0, N)   ->   y [H, 2 * reach + 1] F32 in the arena
// Gradient table. `buckets` must live until the tape's walk
// Errors   ShapeError when a bucket is outside the table
// Source   Raffel et al. 2020, arXiv:1910.10683, section 2.1
#pragma once

#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor relative_bias(Context& context, const Tensor& table, std::span<const int32_t> buckets);

}  // namespace atelier::ops
