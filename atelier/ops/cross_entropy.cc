#include "atelier/ops/cross_entropy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/kernels/gradients.h"
#include "atelier/ops/linear.h"

namespace atelier::ops {
namespace {

constexpr int64_t kRows = 256;  // whose logits are held at once

void check(const Tensor& hidden, const Tensor& weight, std::span<const int32_t> labels) {
  if (hidden.shape().rank() != 2 || weight.shape().rank() != 2 || weight.dim(1) != hidden.dim(1) ||
      static_cast<int64_t>(labels.size()) != hidden.dim(0)) {
    throw ShapeError("[cross_entropy] hidden is " + hidden.shape().to_string() + ", weight is " + weight.shape().to_string() + ", labels " +
                     std::to_string(labels.size()));
  }
  for (const int32_t label : labels) {
    if (label != kIgnoredLabel && (label < 0 || label >= weight.dim(0))) {
      throw ShapeError("[cross_entropy] label " + std::to_string(label) + " of a vocabulary of " + std::to_string(weight.dim(0)));
    }
  }
}

// The next labelled rows: their places, labels and hidden states.
struct Rows {
  std::array<int64_t, kRows> place;
  std::array<int32_t, kRows> label;
  int64_t count = 0;
};

Rows take_rows(std::span<const int32_t> labels, size_t& next) {
  Rows rows;
  for (; next < labels.size() && rows.count < kRows; ++next) {
    if (labels[next] == kIgnoredLabel) continue;
    rows.place[static_cast<size_t>(rows.count)] = static_cast<int64_t>(next);
    rows.label[static_cast<size_t>(rows.count++)] = labels[next];
  }
  return rows;
}

}  // namespace

double cross_entropy(Context& context, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> labels, double loss_weight,
                     float soft_cap, const Tensor& bias) {
  check(hidden, weight, labels);
  const int64_t V = weight.dim(0), C = weight.dim(1);
  const bool trains_hidden = is_recorded(context, hidden), trains_weight = is_recorded(context, weight);
  const bool trains_bias = is_recorded(context, bias);
  const kernels::Compute compute = backward_compute(context.precision, weight.dtype());
  std::optional<Contribution> d_hidden;
  if (trains_hidden) std::memset(d_hidden.emplace(*context.tape, hidden).data(), 0, static_cast<size_t>(hidden.num_bytes()));
  Context untaped{context.arena, context.precision, context.observer};
  double loss = 0;
  for (size_t next = 0; next < labels.size();) {
    const Rows rows = take_rows(labels, next);
    if (rows.count == 0) break;
    const Arena::Mark mark = context.arena.mark();
    Tensor x = context.arena.empty_f32({rows.count, C});
    for (int64_t i = 0; i < rows.count; ++i) {
      std::copy_n(hidden.f32() + rows.place[static_cast<size_t>(i)] * C, C, x.f32() + i * C);
    }
    Tensor logits = linear(untaped, x, weight, bias);
    if (soft_cap > 0) kernels::soft_cap(logits.f32(), soft_cap, logits.f32(), logits.count());
    loss += kernels::cross_entropy_backward(logits.f32(), rows.count, V, rows.label.data(), static_cast<float>(loss_weight), soft_cap,
                                            !trains_hidden && !trains_weight && !trains_bias);
    if (trains_bias) kernels::linear_backward_bias(logits.f32(), V, rows.count, V, context.tape->sums(bias));
    kernels::LinearGradient gradient{weight.dtype(), weight.data(), V, logits.f32(), V};
    if (trains_weight) {
      const Tape::Target dw = context.tape->target(weight);
      gradient.dw = dw.data;
      gradient.adds = dw.adds;
      kernels::linear_backward_weight({&gradient, 1}, {x.f32(), C}, rows.count, C, compute);
    }
    if (trains_hidden) {
      kernels::linear_backward_input({&gradient, 1}, rows.count, C, x.f32(), C, false, compute);
      for (int64_t i = 0; i < rows.count; ++i) {
        std::copy_n(x.f32() + i * C, C, d_hidden->data() + rows.place[static_cast<size_t>(i)] * C);
      }
    }
    context.arena.rewind(mark);
  }
  return loss * loss_weight;
}

}  // namespace atelier::ops
