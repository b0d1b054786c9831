// Derivatives of the functions of elements and rows, in double where a sum or a special function is involved.
#include <cmath>

#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {
namespace {

struct Value {
  double y, slope;  // f(x), f'(x)
};

Value activation_at(Activation activation, double x) {
  const auto logistic = [](double z) { return 1 / (1 + std::exp(-z)); };
  switch (activation) {
    case Activation::kNone:
      return {x, 1};
    case Activation::kRelu:
      return {x > 0 ? x : 0, x > 0 ? 1.0 : 0.0};
    case Activation::kGelu: {
      const double below = 0.5 * std::erfc(-x / std::sqrt(2.0));
      return {x * below, below + x * std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI)};
    }
    case Activation::kGeluTanh: {
      const double factor = 2 * std::sqrt(2 / M_PI), s = logistic(factor * (x + 0.044715 * x * x * x));
      return {x * s, s + x * s * (1 - s) * factor * (1 + 3 * 0.044715 * x * x)};
    }
    case Activation::kSilu: {
      const double s = logistic(x);
      return {x * s, s + x * s * (1 - s)};
    }
    case Activation::kTanh: {
      const double y = std::tanh(x);
      return {y, 1 - y * y};
    }
  }
  return {0, 0};
}

}  // namespace

void activate_backward(Activation activation, const float* x, const float* dy, float* dx, int64_t count) {
  for (int64_t i = 0; i < count; ++i) dx[i] = dy[i] * static_cast<float>(activation_at(activation, x[i]).slope);
}

void gated_activate_backward(Activation activation, const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                             int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Value value = activation_at(activation, gate[i]);
    const float d = dy[i];
    dgate[i] = d * up[i] * static_cast<float>(value.slope);
    dup[i] = d * static_cast<float>(value.y);
  }
}

void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C) {
  double squares = 0, products = 0;
  for (int64_t c = 0; c < C; ++c) {
    squares += static_cast<double>(x[c]) * x[c];
    products += static_cast<double>(dy[c]) * weight[c] * x[c];
  }
  const double inverse = 1 / std::sqrt(squares / static_cast<double>(C) + static_cast<double>(eps));
  const double pull = inverse * inverse * products / static_cast<double>(C);
  for (int64_t c = 0; c < C; ++c) dx[c] = static_cast<float>(inverse * (static_cast<double>(dy[c]) * weight[c] - x[c] * pull));
  statistics[0] = 0;
  statistics[1] = static_cast<float>(inverse);
}

void layer_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C) {
  const auto size = static_cast<double>(C);
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += x[c];
  const double mean = sum / size;
  double squares = 0, gradients = 0, products = 0;
  for (int64_t c = 0; c < C; ++c) {
    const double g = static_cast<double>(dy[c]) * weight[c];
    squares += (x[c] - mean) * (x[c] - mean);
    gradients += g;
    products += g * (x[c] - mean);
  }
  const double inverse = 1 / std::sqrt(squares / size + static_cast<double>(eps));
  for (int64_t c = 0; c < C; ++c) {
    const double g = static_cast<double>(dy[c]) * weight[c];
    dx[c] = static_cast<float>(inverse * (g - gradients / size - (x[c] - mean) * inverse * inverse * products / size));
  }
  statistics[0] = static_cast<float>(mean);
  statistics[1] = static_cast<float>(inverse);
}

void norm_weight_backward(const float* x, const float* dy, const float* statistics, float* d_weight, float* d_bias, int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    if (d_weight) d_weight[c] += dy[c] * (x[c] - statistics[0]) * statistics[1];
    if (d_bias) d_bias[c] += dy[c];
  }
}

void softmax_backward(const float* x, float log_sum, float factor, float* dx, int64_t count) {
  for (int64_t i = 0; i < count; ++i) dx[i] = factor * std::exp(x[i] - log_sum);
}

void add_scaled(const float* x, float factor, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] += factor * x[i];
}

}  // namespace atelier::kernels::scalar
