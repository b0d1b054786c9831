#include "atelier/ops/columns.h"

#include <cstring>

#include "atelier/base/error.h"
#include "atelier/kernels/gradients.h"
#include "atelier/parallel/parallel.h"

namespace atelier::ops {
namespace {

void check(const char* op, const Tensor& x, const Tensor& vector) {
  if (x.shape().rank() == 2 && vector.shape() == Shape{x.dim(1)}) return;
  throw ShapeError(std::string("[") + op + "] x is " + x.shape().to_string() + ", the vector is " + vector.shape().to_string());
}

int64_t rows_per_piece(int64_t C) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, C)); }

void multiply(const float* x, const float* scale, float* y, int64_t T, int64_t C) {
  parallel_for(T, rows_per_piece(C), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t c = 0; c < C; ++c) y[t * C + c] = x[t * C + c] * scale[c];
    }
  });
}

void scale_backward(Tape& tape, const Tensor& x, const Tensor& scale, const Tensor& y) {
  const int64_t T = x.dim(0), C = x.dim(1);
  float* dy = tape.sums(y);
  if (tape.needs_gradient(scale)) {
    float* d_scale = tape.sums(scale);
    parallel_for(C, 64, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = 0; t < T; ++t) {
        for (int64_t c = begin; c < end; ++c) d_scale[c] += dy[t * C + c] * x.f32()[t * C + c];
      }
    });
  }
  if (!tape.needs_gradient(x)) return;
  multiply(dy, scale.f32(), dy, T, C);
  tape.pass(y, x);
}

}  // namespace

Tensor scale_columns(Context& context, const Tensor& x, const Tensor& scale) {
  check("scale_columns", x, scale);
  Tensor y = context.arena.empty_f32(x.shape());
  multiply(x.f32(), scale.f32(), y.f32(), x.dim(0), x.dim(1));
  if (is_recorded(context, x, scale)) context.tape->record(y, [x, scale, y](Tape& tape) { scale_backward(tape, x, scale, y); });
  return y;
}

Tensor add_row(Context& context, const Tensor& x, const Tensor& row) {
  check("add_row", x, row);
  const int64_t T = x.dim(0), C = x.dim(1);
  Tensor y = context.arena.empty_f32(x.shape());
  parallel_for(T, rows_per_piece(C), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t c = 0; c < C; ++c) y.f32()[t * C + c] = x.f32()[t * C + c] + row.f32()[c];
    }
  });
  if (is_recorded(context, x, row)) {
    context.tape->record(y, [x, row, y, T, C](Tape& tape) {
      if (tape.needs_gradient(row)) kernels::linear_backward_bias(tape.gradient(y), C, T, C, tape.sums(row));
      if (tape.needs_gradient(x)) tape.pass(y, x);
    });
  }
  return y;
}

}  // namespace atelier::ops
