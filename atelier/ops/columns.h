// A vector met by every row.
//
//   scale_columns  y[t, c] = x[t, c] * scale[c]          dx = dy * scale, dscale[c] = sum_t dy[t, c] x[t, c]
//   add_row        y[t, c] = x[t, c] + row[c]            dx = dy, drow[c] = sum_t dy[t, c]
//
// Shapes   x [T, C] F32, scale and row [C] F32 -> y [T, C] in the arena; ShapeError otherwise
// Source   (IA)^3: Liu et al. 2022, arXiv:2205.05638
#pragma once

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor scale_columns(Context& context, const Tensor& x, const Tensor& scale);
Tensor add_row(Context& context, const Tensor& x, const Tensor& row);

}  // namespace atelier::ops
