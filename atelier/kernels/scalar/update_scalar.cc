// Optimizer steps, one operation after the other (kernels/update.h).
#include <cmath>

#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {

void adam_update(float* w, const float* gradient, float* m, float* v, int64_t count, const AdamStep& step) {
  const float fresh1 = 1 - step.beta1, fresh2 = 1 - step.beta2;
  for (int64_t i = 0; i < count; ++i) {
    const float g = step.gradient_factor * gradient[i];
    m[i] = m[i] + (g - m[i]) * fresh1;
    v[i] = step.beta2 * v[i] + fresh2 * (g * g);
    const float root = std::sqrt(v[i]) * step.root_factor + step.epsilon;
    w[i] = step.keep * w[i] - step.rate * m[i] / root;
  }
}

void momentum_update(float* w, const float* gradient, float* b, int64_t count, const MomentumStep& step) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = step.gradient_factor * gradient[i] + step.decay * w[i];
    b[i] = step.momentum * b[i] + step.fresh * g;
    w[i] = w[i] - step.rate * (step.is_nesterov ? g + step.momentum * b[i] : b[i]);
  }
}

void rmsprop_update(float* w, const float* gradient, float* v, int64_t count, const RmsPropStep& step) {
  const float fresh = 1 - step.smoothing;
  for (int64_t i = 0; i < count; ++i) {
    const float g = step.gradient_factor * gradient[i] + step.decay * w[i];
    v[i] = step.smoothing * v[i] + fresh * (g * g);
    w[i] = w[i] - step.rate * g / (std::sqrt(v[i]) + step.epsilon);
  }
}

void lion_update(float* w, const float* gradient, float* m, int64_t count, const LionStep& step) {
  const float fresh1 = 1 - step.beta1, fresh2 = 1 - step.beta2;
  for (int64_t i = 0; i < count; ++i) {
    const float g = step.gradient_factor * gradient[i];
    const float u = step.beta1 * m[i] + fresh1 * g;
    const float sign = static_cast<float>(0 < u) - static_cast<float>(u < 0);
    w[i] = step.keep * w[i] - step.rate * sign;
    m[i] = step.beta2 * m[i] + fresh2 * g;
  }
}

void average_update(float* average, const float* w, int64_t count, float share) {
  for (int64_t i = 0; i < count; ++i) average[i] = average[i] + (w[i] - average[i]) * share;
}

double sum_of_squares(const float* x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

}  // namespace atelier::kernels::scalar
