// Functions of one row: norms, rotary positions, rows of the KV cache.
#pragma once

#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct RowKernels {
  using F = typename S::F;
  static constexpr int64_t kLanes = S::kLanes;

  static void rms_norm(const float* x, const float* weight, float eps, float* y, int64_t C) {
    const float squares = sum_of_squares(x, S::zero(), C);
    const F inverse = S::set1(1.0f / __builtin_sqrtf(squares / static_cast<float>(C) + eps));
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      put(y + c, n, S::mul(S::mul(get(x + c, n), inverse), get(weight + c, n)));
    }
  }

  static void layer_norm(const float* x, const float* weight, const float* bias, float eps, float* y, int64_t C) {
    const float mean = sum(x, C) / static_cast<float>(C);
    const float squares = sum_of_squares(x, S::set1(mean), C);
    const F shift = S::set1(mean), inverse = S::set1(1.0f / __builtin_sqrtf(squares / static_cast<float>(C) + eps));
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      const F normal = S::mul(S::sub(get(x + c, n), shift), inverse);
      put(y + c, n, S::fma(normal, get(weight + c, n), bias ? get(bias + c, n) : S::zero()));
    }
  }

  static void rotary(float* x, int64_t num_heads, int64_t D, int64_t R, const float* cos, const float* sin, RotaryLayout layout) {
    for (int64_t h = 0; h < num_heads; ++h) {
      if (layout == RotaryLayout::kHalves) {
        rotate_halves(x + h * D, x + h * D + R / 2, R / 2, cos, sin);
      } else {
        rotate_pairs(x + h * D, R, cos, sin);
      }
    }
  }

  static void store_f16(const float* src, uint16_t* dst, int64_t count) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) S::store_f16(dst + i, S::load(src + i));
    if (i == count) return;
    uint16_t rest[kLanes];
    S::store_f16(rest, S::load_partial(src + i, static_cast<int>(count - i)));
    for (int64_t j = i; j < count; ++j) dst[j] = rest[j - i];
  }

  // Blocks of half d = amax / 127 and 32 bytes round(x / d).
  static void store_q8_0(const float* src, uint8_t* dst, int64_t count) {
    for (int64_t k = 0; k < count; k += 32, dst += 34) {
      F largest_lanes = S::zero();
      for (int i = 0; i < 32; i += kLanes) largest_lanes = S::max(largest_lanes, S::abs(S::load(src + k + i)));
      const float d = S::largest(largest_lanes) / 127.0f;
      uint16_t half[kLanes];
      S::store_f16(half, S::set1(d));
      __builtin_memcpy(dst, half, 2);
      const F inverse = S::set1(d > kSmallestScaled ? 1.0f / d : 0.0f);
      for (int i = 0; i < 32; i += kLanes) {
        S::store_i8(reinterpret_cast<int8_t*>(dst + 2 + i), S::to_int(S::mul(S::load(src + k + i), inverse)));
      }
    }
  }

 private:
  static int lanes_at(int64_t c, int64_t C) { return static_cast<int>(C - c < kLanes ? C - c : kLanes); }
  static F get(const float* p, int n) { return n == kLanes ? S::load(p) : S::load_partial(p, n); }
  static void put(float* p, int n, F a) { n == kLanes ? S::store(p, a) : S::store_partial(p, a, n); }

  // Sums run in four vectors, then in double, so that they are good to about 1e-7.
  static float sum(const float* x, int64_t C) {
    F part[4] = {S::zero(), S::zero(), S::zero(), S::zero()};
    for (int64_t c = 0; c < C; c += kLanes) {
      F& p = part[c / kLanes % 4];
      p = S::add(p, get(x + c, lanes_at(c, C)));
    }
    return total(part);
  }
  static float sum_of_squares(const float* x, F shift, int64_t C) {
    F part[4] = {S::zero(), S::zero(), S::zero(), S::zero()};
    for (int64_t c = 0; c < C; c += kLanes) {
      const int n = lanes_at(c, C);
      F difference = S::sub(get(x + c, n), shift);
      if (n < kLanes) difference = S::keep(difference, n);
      F& p = part[c / kLanes % 4];
      p = S::fma(difference, difference, p);
    }
    return total(part);
  }
  static float total(const F* part) {
    return static_cast<float>((S::sum_as_double(part[0]) + S::sum_as_double(part[1])) +
                              (S::sum_as_double(part[2]) + S::sum_as_double(part[3])));
  }

  static void rotate_halves(float* a, float* b, int64_t count, const float* cos, const float* sin) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const int n = lanes_at(i, count);
      const F x = get(a + i, n), y = get(b + i, n), c = get(cos + i, n), s = get(sin + i, n);
      put(a + i, n, S::fnma(y, s, S::mul(x, c)));
      put(b + i, n, S::fma(x, s, S::mul(y, c)));
    }
  }

  static void rotate_pairs(float* x, int64_t count, const float* cos, const float* sin) {
    for (int64_t i = 0; i < count / 2; ++i) {
      const float a = x[2 * i], b = x[2 * i + 1];
      x[2 * i] = a * cos[i] - b * sin[i];
      x[2 * i + 1] = b * cos[i] + a * sin[i];
    }
  }
};

}  // namespace atelier::kernels
