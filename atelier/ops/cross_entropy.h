// The head of a language model and its loss in one op: logits exist for a few rows at a time.
//
//   z[t, v] = hidden[t, :] . weight[v, :] + bias[v]     x = cap * tanh(z / cap), or z     loss = sum_t log(sum_v exp(x[t, v])) - x[t,
//   labels[t]]
//
// Shapes   hidden [T, C] F32   weight [V, C] of any weight type   bias [V] F32 or none   labels: T of [0, V), or kIgnoredLabel for rows
// that cost nothing
//          ->   loss_weight * loss, sums in double
// Gradient hidden, weight (float types), bias. They are contributed at once, as if d(result) were 1: call it last in a forward pass
// Errors   ShapeError when sizes differ or a label is outside the vocabulary
// Cost     6 n V C operations for n labelled rows (2 without a tape); kRows logits rows in memory
// Source   chunks: Wijmans et al. 2024, arXiv:2411.09009
#pragma once

#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

inline constexpr int32_t kIgnoredLabel = -100;  // PyTorch's ignore_index

double cross_entropy(Context& context, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> labels, double loss_weight,
                     float soft_cap, const Tensor& bias = {});

}  // namespace atelier::ops
