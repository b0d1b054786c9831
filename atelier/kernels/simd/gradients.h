// Derivatives of the functions of elements and rows: each from the derivative with respect to its output, beside elementwise.h and rows.h.
#pragma once

#include "atelier/kernels/simd/math.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct GradientKernels {
  using F = typename S::F;
  static constexpr int64_t kLanes = S::kLanes;

  static void activate_backward(Activation activation, const float* x, const float* dy, float* dx, int64_t count) {
    with_activation(activation, [&](auto f) {
      for (int64_t i = 0; i < count; i += kLanes) {
        const int n = lanes_at(i, count);
        put(dx + i, n, S::mul(get(dy + i, n), f(get(x + i, n)).slope));
      }
    });
  }

  static void gated_activate_backward(Activation activation, const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                                      int64_t count) {
    with_activation(activation, [&](auto f) {
      for (int64_t i = 0; i < count; i += kLanes) {
        const int n = lanes_at(i, count);
        const Value value = f(get(gate + i, n));
        const F d = get(dy + i, n);
        put(dgate + i, n, S::mul(S::mul(d, get(up + i, n)), value.slope));
        put(dup + i, n, S::mul(d, value.y));
      }
    });
  }

  // y = x r w with r = 1 / sqrt(mean(x^2) + eps):  dx = r (g - x r^2 mean(g x)), g = dy w.
  static void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C) {
    double squares = 0, products = 0;
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      const F a = get(x + c, n), g = S::mul(get(dy + c, n), get(weight + c, n));
      squares += S::sum_as_double(S::mul(a, a));
      products += S::sum_as_double(S::mul(g, a));
    }
    const double inverse = 1 / __builtin_sqrt(squares / static_cast<double>(C) + static_cast<double>(eps));
    statistics[0] = 0;
    statistics[1] = static_cast<float>(inverse);
    const F r = S::set1(statistics[1]), pull = S::set1(static_cast<float>(inverse * inverse * products / static_cast<double>(C)));
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      const F g = S::mul(get(dy + c, n), get(weight + c, n));
      put(dx + c, n, S::mul(r, S::fnma(get(x + c, n), pull, g)));
    }
  }

  // y = (x - m) r w + b:  dx = r (g - mean(g) - n mean(g n)), g = dy w, n = (x - m) r.
  static void layer_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics,
                                  int64_t C) {
    double sum = 0;
    for (int64_t c = 0; c < C; c += kLanes) sum += S::sum_as_double(get(x + c, lanes_at(c, C)));
    const double size = static_cast<double>(C);
    const F mean = S::set1(static_cast<float>(sum / size));
    double squares = 0, gradients = 0, products = 0;
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      const F a = S::keep(S::sub(get(x + c, n), mean), n), g = S::mul(get(dy + c, n), get(weight + c, n));
      squares += S::sum_as_double(S::mul(a, a));
      gradients += S::sum_as_double(g);
      products += S::sum_as_double(S::mul(g, a));
    }
    const double inverse = 1 / __builtin_sqrt(squares / size + static_cast<double>(eps));
    statistics[0] = S::lane0(mean);
    statistics[1] = static_cast<float>(inverse);
    const F r = S::set1(statistics[1]), shift = S::set1(static_cast<float>(gradients / size));
    const F pull = S::set1(static_cast<float>(inverse * inverse * products / size));
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      const F g = S::sub(S::mul(get(dy + c, n), get(weight + c, n)), shift);
      put(dx + c, n, S::mul(r, S::fnma(S::sub(get(x + c, n), mean), pull, g)));
    }
  }

  static void norm_weight_backward(const float* x, const float* dy, const float* statistics, float* d_weight, float* d_bias,
                                   int64_t count) {
    const F mean = S::set1(statistics[0]), inverse = S::set1(statistics[1]);
    for (int64_t c = 0; c < count; c += kLanes) {
      const int n = lanes_at(c, count);
      const F d = get(dy + c, n);
      if (d_weight) put(d_weight + c, n, S::fma(d, S::mul(S::sub(get(x + c, n), mean), inverse), get(d_weight + c, n)));
      if (d_bias) put(d_bias + c, n, S::add(d, get(d_bias + c, n)));
    }
  }

  static void softmax_backward(const float* x, float log_sum, float factor, float* dx, int64_t count) {
    const F shift = S::set1(log_sum), factors = S::set1(factor);
    for (int64_t i = 0; i < count; i += kLanes) {
      const int n = lanes_at(i, count);
      put(dx + i, n, S::mul(factors, Math<S>::exp(S::sub(get(x + i, n), shift))));
    }
  }

  static void add_scaled(const float* x, float factor, float* y, int64_t count) {
    const F factors = S::set1(factor);
    for (int64_t i = 0; i < count; i += kLanes) {
      const int n = lanes_at(i, count);
      put(y + i, n, S::fma(factors, get(x + i, n), get(y + i, n)));
    }
  }

 private:
  struct Value {
    F y, slope;  // f(x), f'(x)
  };

  static int lanes_at(int64_t c, int64_t C) { return static_cast<int>(C - c < kLanes ? C - c : kLanes); }
  static F get(const float* p, int n) { return n == kLanes ? S::load(p) : S::load_partial(p, n); }
  static void put(float* p, int n, F a) { n == kLanes ? S::store(p, a) : S::store_partial(p, a, n); }

  // x s(z) with s the logistic function and z' = slope:  s + x s (1 - s) z'
  static Value gated_by(F x, F z, F slope) {
    const F s = Math<S>::sigmoid(z), y = S::mul(x, s);
    return {y, S::fma(S::mul(y, S::sub(S::set1(1.0f), s)), slope, s)};
  }
  static Value silu(F x) { return gated_by(x, x, S::set1(1.0f)); }
  static Value gelu_tanh(F x) {
    const F square = S::mul(x, x), factor = S::set1(1.59576912160573071f);
    const F z = S::mul(factor, S::fma(S::mul(S::set1(0.044715f), square), x, x));
    return gated_by(x, z, S::mul(factor, S::fma(S::set1(3 * 0.044715f), square, S::set1(1.0f))));
  }
  // Phi(x) + x phi(x)
  static Value gelu(F x) {
    const F tail = S::mul(S::set1(0.5f), Math<S>::erfc(S::mul(S::abs(x), S::set1(0.70710678118654752f))));
    const F below = S::select(S::less(x, S::zero()), tail, S::sub(S::set1(1.0f), tail));
    const F density = S::mul(S::set1(0.39894228040143268f), Math<S>::exp(S::mul(S::set1(-0.5f), S::mul(x, x))));
    return {S::mul(x, below), S::fma(x, density, below)};
  }

  static Value tanh(F x) {
    const F y = Math<S>::tanh(x);
    return {y, S::fnma(y, y, S::set1(1.0f))};
  }

  template <class Use>
  static void with_activation(Activation activation, const Use& use) {
    switch (activation) {
      case Activation::kNone:
        return use([](F x) { return Value{x, S::set1(1.0f)}; });
      case Activation::kRelu:
        return use([](F x) { return Value{S::max(S::zero(), x), S::select(S::less(S::zero(), x), S::set1(1.0f), S::zero())}; });
      case Activation::kGelu:
        return use(gelu);
      case Activation::kGeluTanh:
        return use(gelu_tanh);
      case Activation::kSilu:
        return use(silu);
      case Activation::kTanh:
        return use(tanh);
    }
  }
};

}  // namespace atelier::kernels
