#include "atelier/ops/norm.h"

#include "atelier/base/error.h"

namespace atelier::ops {
namespace {

void check(const char* op, const Tensor& x, const Tensor& weight) {
  if (x.shape().rank() == 0 || weight.shape().rank() != 1 || weight.dim(0) == 0 || x.dim(-1) != weight.dim(0)) {
    throw ShapeError(std::string("[") + op + "] x is " + x.shape().to_string() + ", weight is " + weight.shape().to_string());
  }
}

}  // namespace

Tensor rms_norm(Context& context, const Tensor& x, const Tensor& weight, float eps) {
  check("rms_norm", x, weight);
  Tensor y = context.arena.empty_f32(x.shape());
  const int64_t C = x.dim(-1);
  kernels::rms_norm(x.f32(), C, weight.f32(), eps, y.f32(), C, x.count() / C, C);
  return y;
}

Tensor layer_norm(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  check("layer_norm", x, weight);
  if (bias) check("layer_norm", x, bias);
  Tensor y = context.arena.empty_f32(x.shape());
  const int64_t C = x.dim(-1);
  kernels::layer_norm(x.f32(), C, weight.f32(), bias ? bias.f32() : nullptr, eps, y.f32(), C, x.count() / C, C);
  return y;
}

void rms_norm_inplace(Tensor& x, const Tensor& weight, float eps) {
  const int64_t C = weight.dim(0);
  if (C == 0 || x.count() % C != 0) {
    throw ShapeError("[rms_norm_inplace] x is " + x.shape().to_string() + ", weight is " + weight.shape().to_string());
  }
  kernels::rms_norm(x.f32(), C, weight.f32(), eps, x.f32(), C, x.count() / C, C);
}

}  // namespace atelier::ops
