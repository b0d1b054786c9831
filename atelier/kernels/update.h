// The arithmetic of optimizers: each reads weight, gradient and moments once and writes them once.
//
// Element by element in float32, every operation rounded on its own, so that all ISAs and any number of threads give the same bits.
// `gradient_factor` multiplies the gradient before anything else: clipping costs no pass of its own.
#pragma once

#include <cstdint>

namespace atelier::kernels {

//   g = gradient_factor * gradient        m += (g - m) (1 - beta1)        v = beta2 v + (1 - beta2) g g
//   w = keep w - rate m / (sqrt(v) root_factor + epsilon)
// The caller folds bias correction, decay and the kind of epsilon into keep, rate and root_factor (optim/adamw.cc).
struct AdamStep {
  float gradient_factor = 1, beta1 = 0.9f, beta2 = 0.999f;
  float keep = 1, rate = 0, root_factor = 1, epsilon = 1e-8f;
};
void adam_update(float* w, const float* gradient, float* m, float* v, int64_t count, const AdamStep& step);

//   g = gradient_factor * gradient + decay w        b = momentum b + fresh g        w -= rate (is_nesterov ? g + momentum b : b)
struct MomentumStep {
  float gradient_factor = 1, decay = 0, momentum = 0, fresh = 1, rate = 0;
  bool is_nesterov = false;
};
void momentum_update(float* w, const float* gradient, float* b, int64_t count, const MomentumStep& step);

//   g = gradient_factor * gradient + decay w        v = smoothing v + (1 - smoothing) g g        w -= rate g / (sqrt(v) + epsilon)
struct RmsPropStep {
  float gradient_factor = 1, decay = 0, smoothing = 0.99f, rate = 0, epsilon = 1e-8f;
};
void rmsprop_update(float* w, const float* gradient, float* v, int64_t count, const RmsPropStep& step);

//   g = gradient_factor * gradient        w = keep w - rate sign(beta1 m + (1 - beta1) g)        m = beta2 m + (1 - beta2) g
struct LionStep {
  float gradient_factor = 1, beta1 = 0.9f, beta2 = 0.99f, keep = 1, rate = 0;
};
void lion_update(float* w, const float* gradient, float* m, int64_t count, const LionStep& step);

//   average += (w - average) share
void average_update(float* average, const float* w, int64_t count, float share);

// Sum of x[i]^2 in float64, in an order that depends on `count` alone.
double sum_of_squares(const float* x, int64_t count);

}  // namespace atelier::kernels
