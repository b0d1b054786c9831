// Optimizer steps (kernels/update.h), the operations of update_scalar.cc on lanes.
#pragma once

#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct UpdateKernels {
  using F = typename S::F;
  static constexpr int64_t kLanes = S::kLanes;

  static void adam_update(float* w, const float* gradient, float* m, float* v, int64_t count, const AdamStep& step) {
    const F factor = S::set1(step.gradient_factor), fresh1 = S::set1(1 - step.beta1), old2 = S::set1(step.beta2);
    const F fresh2 = S::set1(1 - step.beta2), keep = S::set1(step.keep), rate = S::set1(step.rate);
    const F root_factor = S::set1(step.root_factor), epsilon = S::set1(step.epsilon);
    for_lanes(count, [&](int64_t i, int n) {
      const F g = S::mul(factor, get(gradient + i, n)), old_m = get(m + i, n);
      const F new_m = S::add(old_m, S::mul(S::sub(g, old_m), fresh1));
      const F new_v = S::add(S::mul(old2, get(v + i, n)), S::mul(fresh2, S::mul(g, g)));
      const F root = S::add(S::mul(S::sqrt(new_v), root_factor), epsilon);
      put(m + i, n, new_m);
      put(v + i, n, new_v);
      put(w + i, n, S::sub(S::mul(keep, get(w + i, n)), S::div(S::mul(rate, new_m), root)));
    });
  }

  static void momentum_update(float* w, const float* gradient, float* b, int64_t count, const MomentumStep& step) {
    const F factor = S::set1(step.gradient_factor), decay = S::set1(step.decay), momentum = S::set1(step.momentum);
    const F fresh = S::set1(step.fresh), rate = S::set1(step.rate);
    for_lanes(count, [&](int64_t i, int n) {
      const F old_w = get(w + i, n), g = S::add(S::mul(factor, get(gradient + i, n)), S::mul(decay, old_w));
      const F new_b = S::add(S::mul(momentum, get(b + i, n)), S::mul(fresh, g));
      put(b + i, n, new_b);
      put(w + i, n, S::sub(old_w, S::mul(rate, step.is_nesterov ? S::add(g, S::mul(momentum, new_b)) : new_b)));
    });
  }

  static void rmsprop_update(float* w, const float* gradient, float* v, int64_t count, const RmsPropStep& step) {
    const F factor = S::set1(step.gradient_factor), decay = S::set1(step.decay), smoothing = S::set1(step.smoothing);
    const F fresh = S::set1(1 - step.smoothing), rate = S::set1(step.rate), epsilon = S::set1(step.epsilon);
    for_lanes(count, [&](int64_t i, int n) {
      const F old_w = get(w + i, n), g = S::add(S::mul(factor, get(gradient + i, n)), S::mul(decay, old_w));
      const F new_v = S::add(S::mul(smoothing, get(v + i, n)), S::mul(fresh, S::mul(g, g)));
      put(v + i, n, new_v);
      put(w + i, n, S::sub(old_w, S::div(S::mul(rate, g), S::add(S::sqrt(new_v), epsilon))));
    });
  }

  static void lion_update(float* w, const float* gradient, float* m, int64_t count, const LionStep& step) {
    const F factor = S::set1(step.gradient_factor), old1 = S::set1(step.beta1), fresh1 = S::set1(1 - step.beta1);
    const F old2 = S::set1(step.beta2), fresh2 = S::set1(1 - step.beta2), keep = S::set1(step.keep), rate = S::set1(step.rate);
    const F one = S::set1(1.0f), zero = S::zero();
    for_lanes(count, [&](int64_t i, int n) {
      const F g = S::mul(factor, get(gradient + i, n)), old_m = get(m + i, n);
      const F u = S::add(S::mul(old1, old_m), S::mul(fresh1, g));
      const F sign = S::sub(S::select(S::less(zero, u), one, zero), S::select(S::less(u, zero), one, zero));
      put(w + i, n, S::sub(S::mul(keep, get(w + i, n)), S::mul(rate, sign)));
      put(m + i, n, S::add(S::mul(old2, old_m), S::mul(fresh2, g)));
    });
  }

  static void average_update(float* average, const float* w, int64_t count, float share) {
    const F shares = S::set1(share);
    for_lanes(count, [&](int64_t i, int n) {
      const F old = get(average + i, n);
      put(average + i, n, S::add(old, S::mul(S::sub(get(w + i, n), old), shares)));
    });
  }

  static double sum_of_squares(const float* x, int64_t count) {
    double sum = 0;
    for_lanes(count, [&](int64_t i, int n) {
      const F a = get(x + i, n);
      sum += S::sum_as_double(S::mul(a, a));
    });
    return sum;
  }

 private:
  template <class Use>
  static void for_lanes(int64_t count, const Use& use) {
    for (int64_t i = 0; i < count; i += kLanes) use(i, static_cast<int>(count - i < kLanes ? count - i : kLanes));
  }
  static F get(const float* p, int n) { return n == kLanes ? S::load(p) : S::load_partial(p, n); }
  static void put(float* p, int n, F a) { n == kLanes ? S::store(p, a) : S::store_partial(p, a, n); }
};

}  // namespace atelier::kernels
