// Functions of single elements. The last, partial vector goes through the same instructions as the others, so that a value never
// depends on where in an array its argument stands.
#pragma once

#include "atelier/kernels/simd/math.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct ElementwiseKernels {
  using F = typename S::F;

  static void activate(Activation activation, const float* x, float* y, int64_t count) {
    switch (activation) {
      case Activation::kNone:
        return map(x, y, count, [](F a) { return a; });
      case Activation::kRelu:
        return map(x, y, count, relu);
      case Activation::kGelu:
        return map(x, y, count, Math<S>::gelu);
      case Activation::kGeluTanh:
        return map(x, y, count, Math<S>::gelu_tanh);
      case Activation::kSilu:
        return map(x, y, count, Math<S>::silu);
      case Activation::kTanh:
        return map(x, y, count, Math<S>::tanh);
    }
  }

  static void gated_activate(Activation activation, const float* gate, const float* up, float* y, int64_t count) {
    switch (activation) {
      case Activation::kNone:
        return map2(gate, up, y, count, S::mul);
      case Activation::kRelu:
        return map2(gate, up, y, count, [](F a, F b) { return S::mul(relu(a), b); });
      case Activation::kGelu:
        return map2(gate, up, y, count, [](F a, F b) { return S::mul(Math<S>::gelu(a), b); });
      case Activation::kGeluTanh:
        return map2(gate, up, y, count, [](F a, F b) { return S::mul(Math<S>::gelu_tanh(a), b); });
      case Activation::kSilu:
        return map2(gate, up, y, count, [](F a, F b) { return S::mul(Math<S>::silu(a), b); });
      case Activation::kTanh:
        return map2(gate, up, y, count, [](F a, F b) { return S::mul(Math<S>::tanh(a), b); });
    }
  }

  static void add(const float* a, const float* b, float* y, int64_t count) { map2(a, b, y, count, S::add); }

  static void scale(const float* x, float factor, float* y, int64_t count) {
    const F factors = S::set1(factor);
    map(x, y, count, [factors](F a) { return S::mul(a, factors); });
  }

  static void soft_cap(const float* x, float cap, float* y, int64_t count) {
    const F caps = S::set1(cap);
    map(x, y, count, [caps](F a) { return S::mul(caps, Math<S>::tanh(S::div(a, caps))); });
  }

  // The sum in double: a vocabulary has up to 10^6 entries.
  static LogSumExp log_sum_exp(const float* x, int64_t count) {
    F largest_lanes = S::set1(x[0]);
    int64_t i = 0;
    for (; i + S::kLanes <= count; i += S::kLanes) largest_lanes = S::max(largest_lanes, S::load(x + i));
    float largest = S::largest(largest_lanes);
    for (; i < count; ++i) largest = x[i] > largest ? x[i] : largest;
    const F shift = S::set1(largest);
    double sum = 0;
    for (i = 0; i + S::kLanes <= count; i += S::kLanes) sum += S::sum_as_double(Math<S>::exp(S::sub(S::load(x + i), shift)));
    if (i < count) {
      float rest[S::kLanes] = {};
      S::store(rest, Math<S>::exp(S::sub(S::load_partial(x + i, static_cast<int>(count - i)), shift)));
      for (int64_t j = i; j < count; ++j) sum += rest[j - i];
    }
    return {largest, __builtin_log(sum)};
  }

 private:
  static F relu(F a) { return S::max(S::zero(), a); }  // the second operand where either is NaN: NaN stays

  template <class Function>
  static void map(const float* x, float* y, int64_t count, Function f) {
    int64_t i = 0;
    for (; i + S::kLanes <= count; i += S::kLanes) S::store(y + i, f(S::load(x + i)));
    if (const int rest = static_cast<int>(count - i); rest > 0) S::store_partial(y + i, f(S::load_partial(x + i, rest)), rest);
  }

  template <class Function>
  static void map2(const float* a, const float* b, float* y, int64_t count, Function f) {
    int64_t i = 0;
    for (; i + S::kLanes <= count; i += S::kLanes) S::store(y + i, f(S::load(a + i), S::load(b + i)));
    if (const int rest = static_cast<int>(count - i); rest > 0) {
      S::store_partial(y + i, f(S::load_partial(a + i, rest), S::load_partial(b + i, rest)), rest);
    }
  }
};

}  // namespace atelier::kernels
