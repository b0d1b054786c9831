#include "atelier/ops/elementwise.h"

#include "atelier/base/error.h"

namespace atelier::ops {
namespace {

void check_same(const char* op, const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) {
    throw ShapeError(std::string("[") + op + "] " + a.shape().to_string() + " and " + b.shape().to_string());
  }
}

}  // namespace

Tensor add(Context& context, const Tensor& a, const Tensor& b) {
  check_same("add", a, b);
  Tensor y = context.arena.empty_f32(a.shape());
  kernels::add(a.f32(), b.f32(), y.f32(), a.count());
  return y;
}

void add_inplace(Tensor& x, const Tensor& y) {
  check_same("add_inplace", x, y);
  kernels::add(x.f32(), y.f32(), x.f32(), x.count());
}

Tensor activate(Context& context, kernels::Activation activation, const Tensor& x) {
  Tensor y = context.arena.empty_f32(x.shape());
  kernels::activate(activation, x.f32(), y.f32(), x.count());
  return y;
}

Tensor gated_activate(Context& context, kernels::Activation activation, const Tensor& gate, const Tensor& up) {
  check_same("gated_activate", gate, up);
  Tensor y = context.arena.empty_f32(gate.shape());
  kernels::gated_activate(activation, gate.f32(), up.f32(), y.f32(), gate.count());
  return y;
}

void scale_inplace(Tensor& x, float factor) { kernels::scale(x.f32(), factor, x.f32(), x.count()); }

void soft_cap_inplace(Tensor& x, float cap) { kernels::soft_cap(x.f32(), cap, x.f32(), x.count()); }

}  // namespace atelier::ops
