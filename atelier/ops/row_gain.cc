#include "atelier/ops/row_gain.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/error.h"

namespace atelier::ops {
namespace {

constexpr double kSmallestSquare = 1e-30;  // of a row's length: a row of zeros keeps a finite gain

}  // namespace

Tensor row_gain(Context& context, const Tensor& weight, const Tensor& squares, const LowRank& low_rank, const Tensor& magnitude) {
  const Shape rows{weight.dim(0)};
  if (!(squares.shape() == rows) || !(magnitude.shape() == rows) || !low_rank.a) {
    throw ShapeError("[row_gain] weight is " + weight.shape().to_string() + ", magnitude is " + magnitude.shape().to_string());
  }
  const auto& [a, b, scale] = low_rank;
  const int64_t N = weight.dim(0), R = a.dim(0);
  Tensor gain = context.arena.empty_f32(rows);
  Tensor lengths = context.arena.empty_f32(rows);
  Context exact{context.arena, Precision::kF32};
  const Tensor met = linear(exact, a, weight);  // [R, N]: a W^T
  const Tensor inner = linear(exact, a, a);     // [R, R]
  for (int64_t n = 0; n < N; ++n) {
    const float* row = b.f32() + n * R;
    double square = squares.f32()[n];
    for (int64_t r = 0; r < R; ++r) {
      double sum = 0;
      for (int64_t q = 0; q < R; ++q) sum += static_cast<double>(inner.f32()[r * R + q]) * row[q];
      square += static_cast<double>(scale) * row[r] * (2.0 * met.f32()[r * N + n] + static_cast<double>(scale) * sum);
    }
    lengths.f32()[n] = static_cast<float>(std::sqrt(std::max(square, kSmallestSquare)));
    gain.f32()[n] = magnitude.f32()[n] / lengths.f32()[n];
  }
  if (is_recorded(context, magnitude)) {
    context.tape->record(gain, [gain, lengths, magnitude, N](Tape& tape) {
      const float* d_gain = tape.gradient(gain);
      float* d_magnitude = tape.sums(magnitude);
      for (int64_t n = 0; n < N; ++n) d_magnitude[n] += d_gain[n] / lengths.f32()[n];
    });
  }
  return gain;
}

}  // namespace atelier::ops
