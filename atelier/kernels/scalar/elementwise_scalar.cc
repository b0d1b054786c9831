// Functions of single elements.
#include <algorithm>
#include <cmath>

#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {
namespace {

float apply(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x > 0 ? x : (x == x ? 0.0f : x);
    case Activation::kGelu:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f));
    case Activation::kGeluTanh: {
      const float inner = 0.79788456080286536f * (x + 0.044715f * x * x * x);
      return 0.5f * x * (1.0f + std::tanh(inner));
    }
    case Activation::kSilu:
      return x / (1.0f + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

}  // namespace

void activate(Activation activation, const float* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = apply(activation, x[i]);
}

void gated_activate(Activation activation, const float* gate, const float* up, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = apply(activation, gate[i]) * up[i];
}

void add(const float* a, const float* b, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

void scale(const float* x, float factor, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] * factor;
}

void soft_cap(const float* x, float cap, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = cap * std::tanh(x[i] / cap);
}

LogSumExp log_sum_exp(const float* x, int64_t count) {
  const double largest = *std::max_element(x, x + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(x[i] - largest);
  return {largest, std::log(sum)};
}

}  // namespace atelier::kernels::scalar
