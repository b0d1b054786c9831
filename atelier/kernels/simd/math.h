// Exponentials and what is made of them, on vectors. Relative errors against exact values are below 3e-7 where not said otherwise
// (kernels_test measures them); NaN gives NaN.
#pragma once

namespace atelier::kernels {

template <class S>
struct Math {
  using F = typename S::F;
  using I = typename S::I;

  // exp(x) = 2^n exp(r), |r| <= ln(2) / 2, with the Taylor polynomial of degree 7 for exp(r) (error 4e-9). Below -87 the result is 0;
  // above 88 it is exp(88), which is finite.
  static F exp(F x) {
    const F held = S::max(S::set1(-87.0f), S::min(S::set1(88.0f), x));
    const F n = S::round(S::mul(held, S::set1(1.44269504088896341f)));
    F r = S::fnma(n, S::set1(0.693359375f), held);  // ln 2 in two parts, the first of few bits
    r = S::fnma(n, S::set1(-2.12194440054690583e-4f), r);
    F p = S::set1(1.0f / 5040);
    p = S::fma(p, r, S::set1(1.0f / 720));
    p = S::fma(p, r, S::set1(1.0f / 120));
    p = S::fma(p, r, S::set1(1.0f / 24));
    p = S::fma(p, r, S::set1(1.0f / 6));
    p = S::fma(p, r, S::set1(0.5f));
    p = S::fma(p, r, S::set1(1.0f));
    p = S::fma(p, r, S::set1(1.0f));
    return S::select(S::less(x, S::set1(-87.0f)), S::zero(), S::mul(p, S::pow2(S::to_int(n))));
  }

  // 2^x for x <= 0: 0 below -150, -infinity included. 2^n 2^f, |f| <= 1/2, with the polynomial of Cephes' exp2f (error 2e-7).
  static F exp2_below(F x) {
    const F held = S::max(S::set1(-200.0f), x);
    const F n = S::round(held);
    const F f = S::sub(held, n);
    F p = S::set1(1.535336188319500e-4f);
    p = S::fma(p, f, S::set1(1.339887440266574e-3f));
    p = S::fma(p, f, S::set1(9.618437357674640e-3f));
    p = S::fma(p, f, S::set1(5.550332471162809e-2f));
    p = S::fma(p, f, S::set1(2.402264791363012e-1f));
    p = S::fma(p, f, S::set1(6.931472028550421e-1f));
    p = S::fma(p, f, S::set1(1.0f));
    return S::times_pow2(p, n);
  }

  static F sigmoid(F x) { return S::div(S::set1(1.0f), S::add(S::set1(1.0f), exp(S::sub(S::zero(), x)))); }
  static F silu(F x) { return S::mul(x, sigmoid(x)); }

  // Odd polynomial for |x| < 0.625 (Cephes, tanhf), else 1 - 2 / (exp(2 |x|) + 1) with the sign of x.
  static F tanh(F x) {
    const F magnitude = S::abs(x);
    const F square = S::mul(x, x);
    F p = S::set1(-5.70498872745e-3f);
    p = S::fma(p, square, S::set1(2.06390887954e-2f));
    p = S::fma(p, square, S::set1(-5.37397155531e-2f));
    p = S::fma(p, square, S::set1(1.33314422036e-1f));
    p = S::fma(p, square, S::set1(-3.33332819422e-1f));
    const F small = S::fma(S::mul(p, square), x, x);
    const F e = exp(S::add(magnitude, magnitude));
    const F large = S::sub(S::set1(1.0f), S::div(S::set1(2.0f), S::add(e, S::set1(1.0f))));
    return S::select(S::less(magnitude, S::set1(0.625f)), small, S::with_sign_of(large, x));
  }

  // x (1 + tanh(u)) / 2 = x sigmoid(2 u), which loses nothing where tanh is near -1.
  static F gelu_tanh(F x) {
    const F cubic = S::fma(S::mul(S::set1(0.044715f), S::mul(x, x)), x, x);
    return S::mul(x, sigmoid(S::mul(S::set1(1.59576912160573071f), cubic)));
  }

  // erfc(z) for z >= 0, relative error 1.2e-7 before rounding (Press et al., Numerical Recipes, "erfcc").
  static F erfc(F z) {
    const F t = S::div(S::set1(1.0f), S::fma(S::set1(0.5f), z, S::set1(1.0f)));
    F p = S::set1(0.17087277f);
    p = S::fma(p, t, S::set1(-0.82215223f));
    p = S::fma(p, t, S::set1(1.48851587f));
    p = S::fma(p, t, S::set1(-1.13520398f));
    p = S::fma(p, t, S::set1(0.27886807f));
    p = S::fma(p, t, S::set1(-0.18628806f));
    p = S::fma(p, t, S::set1(0.09678418f));
    p = S::fma(p, t, S::set1(0.37409196f));
    p = S::fma(p, t, S::set1(1.00002368f));
    p = S::fma(p, t, S::set1(-1.26551223f));
    return S::mul(t, exp(S::fnma(z, z, p)));
  }

  // x Phi(x); for x < 0 Phi is erfc / 2 itself, so that the tail keeps its digits (relative error 2e-6 down to x = -8).
  static F gelu(F x) {
    const F tail = S::mul(S::set1(0.5f), erfc(S::mul(S::abs(x), S::set1(0.70710678118654752f))));
    return S::mul(x, S::select(S::less(x, S::zero()), tail, S::sub(S::set1(1.0f), tail)));
  }
};

}  // namespace atelier::kernels
