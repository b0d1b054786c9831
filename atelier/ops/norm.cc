#include "atelier/ops/norm.h"

#include <optional>

#include "atelier/base/error.h"
#include "atelier/kernels/gradients.h"

namespace atelier::ops {
namespace {

void check(const char* op, const Tensor& x, const Tensor& weight) {
  if (x.shape().rank() == 0 || weight.shape().rank() != 1 || weight.dim(0) == 0 || x.dim(-1) != weight.dim(0)) {
    throw ShapeError(std::string("[") + op + "] x is " + x.shape().to_string() + ", weight is " + weight.shape().to_string());
  }
}

// backward(x, weight, eps, dy, rows, C, gradients) of either norm; rows are as long as the weight.
template <class Backward>
void norm_backward(Tape& tape, Backward backward, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, const Tensor& y) {
  const int64_t C = weight.count();
  kernels::NormGradients out;
  std::optional<Contribution> dx;
  if (tape.needs_gradient(x)) out.dx = dx.emplace(tape, x).data();
  if (tape.needs_gradient(weight)) out.d_weight = tape.sums(weight);
  if (tape.needs_gradient(bias)) out.d_bias = tape.sums(bias);
  backward(x.f32(), weight.f32(), eps, tape.gradient(y), x.count() / C, C, out);
}

Tensor rms_norm_rows(Context& context, const Tensor& x, const Tensor& weight, float eps, Tensor y) {
  const int64_t C = weight.count();
  kernels::rms_norm(x.f32(), C, weight.f32(), eps, y.f32(), C, x.count() / C, C);
  record_rms_norm(context, x, weight, eps, y);
  return y;
}

}  // namespace

void record_rms_norm(Context& context, const Tensor& x, const Tensor& weight, float eps, const Tensor& y) {
  if (!is_recorded(context, x, weight)) return;
  context.tape->record(y, [x, weight, eps, y](Tape& tape) { norm_backward(tape, kernels::rms_norm_backward, x, weight, {}, eps, y); });
}

void record_layer_norm(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, const Tensor& y) {
  if (!is_recorded(context, x, weight, bias)) return;
  context.tape->record(
      y, [x, weight, bias, eps, y](Tape& tape) { norm_backward(tape, kernels::layer_norm_backward, x, weight, bias, eps, y); });
}

Tensor rms_norm(Context& context, const Tensor& x, const Tensor& weight, float eps) {
  check("rms_norm", x, weight);
  return rms_norm_rows(context, x, weight, eps, context.arena.empty_f32(x.shape()));
}

Tensor layer_norm(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  check("layer_norm", x, weight);
  if (bias) check("layer_norm", x, bias);
  Tensor y = context.arena.empty_f32(x.shape());
  const int64_t C = x.dim(-1);
  kernels::layer_norm(x.f32(), C, weight.f32(), bias ? bias.f32() : nullptr, eps, y.f32(), C, x.count() / C, C);
  record_layer_norm(context, x, weight, bias, eps, y);
  return y;
}

void rms_norm_inplace(Context& context, Tensor& x, const Tensor& weight, float eps) {
  if (weight.dim(0) == 0 || x.count() % weight.dim(0) != 0) {
    throw ShapeError("[rms_norm_inplace] x is " + x.shape().to_string() + ", weight is " + weight.shape().to_string());
  }
  x = rms_norm_rows(context, x, weight, eps, context.tape ? context.arena.empty_f32(x.shape()) : x);
}

}  // namespace atelier::ops
