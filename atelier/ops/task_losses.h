// Losses of a task's logits, which are few enough to lie in memory, unlike a vocabulary's (ops/cross_entropy.h).
//
//   squared_error          sum over b, n of (x[b, n] - y[b, n])^2
//   binary_cross_entropy   sum over b, n of log(1 + exp(x[b, n])) - y[b, n] x[b, n]
//   group_cross_entropy    sum over groups g and columns n of log(sum over rows t of g of exp(x[t, n])) - x[t*, n], t* = chosen[g, n]
//
// The last one asks which of a group's rows it is: an answer's first and last token in a text, the right one of several answers.
//
// Shapes   x [R, N] F32   targets: R N numbers y, row by row   lengths: rows of each of G groups, their sum R   chosen: G N rows, counted
// from the group's first, or kIgnoredLabel   ->   weight * loss, sums in double
// Gradient x, contributed at once as if d(result) were 1: call it last in a forward pass
// Errors   ShapeError when sizes differ or a chosen row lies outside its group
// Source   Bishop 2006, Pattern Recognition and Machine Learning, 3.1.1 and 4.3; groups: Devlin et al. 2018, arXiv:1810.04805, 4.2 and 4.4
#pragma once

#include <cstdint>
#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

double squared_error(Context& context, const Tensor& x, std::span<const float> targets, double weight);
double binary_cross_entropy(Context& context, const Tensor& x, std::span<const float> targets, double weight);
double group_cross_entropy(Context& context, const Tensor& x, std::span<const int64_t> lengths, std::span<const int32_t> chosen,
                           double weight);

}  // namespace atelier::ops
