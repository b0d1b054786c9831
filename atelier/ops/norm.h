// Root-mean-square and layer normalisation of rows.
//
//   rms_norm    y[t, c] = x[t, c] / sqrt(mean_c(x^2) + eps) * weight[c]
//   layer_norm  y[t, c] = (x[t, c] - mean_c(x)) / sqrt(var_c(x) + eps) * weight[c] + bias[c]
//
// Shapes   x [..., C] F32   weight [C] F32   bias [C] F32 or none   ->   y, shape of x, in the arena
// Units    eps is added to the mean square or variance, not to the root
// Errors   ShapeError "[rms_norm] x is [2, 8], weight is [16]" when the last axes differ
// Gradient x, weight, bias. Means and deviations are computed again from x
// Source   Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4; Ba, Kiros & Hinton 2016, arXiv:1607.06450
#pragma once

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor rms_norm(Context& context, const Tensor& x, const Tensor& weight, float eps);
Tensor layer_norm(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps);

// Only the record: that y is the norm, whose values are computed elsewhere (linear_input.h).
void record_rms_norm(Context& context, const Tensor& x, const Tensor& weight, float eps, const Tensor& y);
void record_layer_norm(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, const Tensor& y);

// The same on x itself (a new tensor when there is a tape), whose last axis may be a part of a row ([T, H * D] normalised over each D).
void rms_norm_inplace(Context& context, Tensor& x, const Tensor& weight, float eps);

}  // namespace atelier::ops
