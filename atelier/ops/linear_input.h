// What linears read: rows, or the norm or activation that makes them.
//
// Where nothing else needs the rows, kernels::linear makes them on the way into its operand; where something does (a tape, an observer,
// a low-rank addition), they are made as a tensor first. Both have the same bits.
#pragma once

#include "atelier/ops/context.h"

namespace atelier::ops {

struct LinearInput {
  using Kind = kernels::LinearInput::Kind;

  LinearInput(Tensor rows) : x(std::move(rows)) {}  // NOLINT(google-explicit-constructor): rows are an input as they are
  static LinearInput rms_norm(Tensor x, Tensor weight, float eps);
  static LinearInput layer_norm(Tensor x, Tensor weight, Tensor bias, float eps);
  static LinearInput activate(kernels::Activation activation, Tensor x);
  static LinearInput gated_activate(kernels::Activation activation, Tensor gate, Tensor up);

  Tensor x;  // [T, K]: the rows, what is normalised, or the gate
  Kind kind = Kind::kRows;
  Tensor weight, bias;  // [K] of norms
  float eps = 0;
  kernels::Activation activation = kernels::Activation::kNone;
  Tensor up;  // [T, K] of gates
};

// The rows [T, K] as a tensor; recorded.
Tensor rows_of(Context& context, const LinearInput& input);

// The same without elements: a name for the rows that unmade_rows() stands for; recorded. With a tape; rows that lie in memory are
// themselves.
Tensor rows_named(Context& context, const LinearInput& input);

// The same for a kernel, which makes them. Shapes have been checked by rows_of's ops or are checked here (ShapeError).
kernels::LinearInput unmade_rows(const LinearInput& input);

}  // namespace atelier::ops
