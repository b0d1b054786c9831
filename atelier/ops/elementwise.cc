#include "atelier/ops/elementwise.h"

#include <cstring>

#include "atelier/base/error.h"
#include "atelier/kernels/gradients.h"

namespace atelier::ops {
namespace {

void check_same(const char* op, const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) {
    throw ShapeError(std::string("[") + op + "] " + a.shape().to_string() + " and " + b.shape().to_string());
  }
}

void add_backward(Tape& tape, const Tensor& a, const Tensor& b, const Tensor& y) {
  if (tape.needs_gradient(a) && tape.needs_gradient(b)) {
    Contribution da(tape, a);
    std::memcpy(da.data(), tape.gradient(y), static_cast<size_t>(y.num_bytes()));
  }
  tape.pass(y, tape.needs_gradient(b) ? b : a);
}

void soft_cap_backward(Tape& tape, const Tensor& x, const Tensor& y, float cap) {
  float* dy = tape.sums(y);
  for (int64_t i = 0; i < y.count(); ++i) {
    const float bent = y.f32()[i] / cap;
    dy[i] *= 1 - bent * bent;
  }
  tape.pass(y, x);
}

// Where the result of an in-place op goes.
Tensor result_of(Context& context, const Tensor& x) { return context.tape ? context.arena.empty_f32(x.shape()) : x; }

}  // namespace

Tensor add(Context& context, const Tensor& a, const Tensor& b) {
  check_same("add", a, b);
  Tensor y = context.arena.empty_f32(a.shape());
  kernels::add(a.f32(), b.f32(), y.f32(), a.count());
  if (is_recorded(context, a, b)) context.tape->record(y, [a, b, y](Tape& tape) { add_backward(tape, a, b, y); });
  return y;
}

void add_inplace(Context& context, Tensor& x, const Tensor& y) {
  check_same("add_inplace", x, y);
  Tape* tape = context.tape;
  if (tape != nullptr && !tape->can_change(y)) {
    x = add(context, x, y);
    return;
  }
  Tensor sum = tape != nullptr ? y : x;
  kernels::add(x.f32(), y.f32(), sum.f32(), x.count());
  if (is_recorded(context, x)) {
    tape->record_change(y, [x, y](Tape& t) {
      Contribution dx(t, x);
      std::memcpy(dx.data(), t.gradient(y), static_cast<size_t>(y.num_bytes()));
    });
  }
  x = sum;
}

Tensor activate(Context& context, kernels::Activation activation, const Tensor& x) {
  Tensor y = context.arena.empty_f32(x.shape());
  kernels::activate(activation, x.f32(), y.f32(), x.count());
  record_activate(context, activation, x, y);
  return y;
}

void record_activate(Context& context, kernels::Activation activation, const Tensor& x, const Tensor& y) {
  if (!is_recorded(context, x)) return;
  context.tape->record(y, [x, y, activation](Tape& tape) {
    float* dy = tape.sums(y);
    kernels::activate_backward(activation, x.f32(), dy, dy, x.count());
    tape.pass(y, x);
  });
}

Tensor gated_activate(Context& context, kernels::Activation activation, const Tensor& gate, const Tensor& up) {
  check_same("gated_activate", gate, up);
  Tensor y = context.arena.empty_f32(gate.shape());
  kernels::gated_activate(activation, gate.f32(), up.f32(), y.f32(), gate.count());
  record_gated_activate(context, activation, gate, up, y);
  return y;
}

void record_gated_activate(Context& context, kernels::Activation activation, const Tensor& gate, const Tensor& up, const Tensor& y) {
  if (!is_recorded(context, gate, up)) return;
  context.tape->record(y, [gate, up, y, activation](Tape& tape) {
    Contribution d_gate(tape, gate), d_up(tape, up);
    kernels::gated_activate_backward(activation, gate.f32(), up.f32(), tape.gradient(y), d_gate.data(), d_up.data(), y.count());
  });
}

void scale_inplace(Context& context, Tensor& x, float factor) {
  Tensor y = result_of(context, x);
  kernels::scale(x.f32(), factor, y.f32(), x.count());
  if (is_recorded(context, x)) {
    context.tape->record(y, [x, y, factor](Tape& tape) {
      float* dy = tape.sums(y);
      kernels::scale(dy, factor, dy, y.count());
      tape.pass(y, x);
    });
  }
  x = y;
}

void soft_cap_inplace(Context& context, Tensor& x, float cap) {
  Tensor y = result_of(context, x);
  kernels::soft_cap(x.f32(), cap, y.f32(), x.count());
  if (is_recorded(context, x)) context.tape->record(y, [x, y, cap](Tape& tape) { soft_cap_backward(tape, x, y, cap); });
  x = y;
}

}  // namespace atelier::ops
