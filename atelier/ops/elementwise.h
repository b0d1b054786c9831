// Element-wise ops: sums, activations, gates, caps.
//
//   add            y = a + b                                         da = dy, db = dy
//   activate       y = f(x)                                          dx = dy f'(x)
//   gated_activate y = f(gate) * up                                  (Shazeer 2020, arXiv:2002.05202)
//   scale_inplace  x = x * factor                                    dx = dy factor
//   soft_cap_inplace x = cap * tanh(x / cap)                         dx = dy (1 - (y / cap)^2)      (Gemma 2, arXiv:2408.00118)
//
// Shapes   all operands F32 of one shape; ShapeError otherwise. Results live in the arena; x of soft_cap_inplace and scale_inplace
// too when there is a tape, and the sum of add_inplace where y lay, which the node that made y must not need.
#pragma once

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor add(Context& context, const Tensor& a, const Tensor& b);
void add_inplace(Context& context, Tensor& x, const Tensor& y);
Tensor activate(Context& context, kernels::Activation activation, const Tensor& x);
Tensor gated_activate(Context& context, kernels::Activation activation, const Tensor& gate, const Tensor& up);
// Only the record: that y is the activation, whose values are computed elsewhere (linear_input.h).
void record_activate(Context& context, kernels::Activation activation, const Tensor& x, const Tensor& y);
void record_gated_activate(Context& context, kernels::Activation activation, const Tensor& gate, const Tensor& up, const Tensor& y);
void scale_inplace(Context& context, Tensor& x, float factor);
void soft_cap_inplace(Context& context, Tensor& x, float cap);

}  // namespace atelier::ops
