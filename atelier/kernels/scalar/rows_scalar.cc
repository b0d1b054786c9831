// Functions of a row: norms, rotary positions, rows of the KV cache.
#include <cmath>

#include "atelier/kernels/scalar/scalar.h"
#include "atelier/quant/quant.h"

namespace atelier::kernels::scalar {

void rms_norm(const float* x, const float* weight, float eps, float* y, int64_t C) {
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += static_cast<double>(x[c]) * x[c];
  const float inverse = static_cast<float>(1.0 / std::sqrt(sum / static_cast<double>(C) + eps));
  for (int64_t c = 0; c < C; ++c) y[c] = x[c] * inverse * weight[c];
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, float* y, int64_t C) {
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += x[c];
  const float mean = static_cast<float>(sum / static_cast<double>(C));
  double squares = 0;
  for (int64_t c = 0; c < C; ++c) squares += static_cast<double>(x[c] - mean) * (x[c] - mean);
  const float inverse = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(C) + eps));
  for (int64_t c = 0; c < C; ++c) y[c] = (x[c] - mean) * inverse * weight[c] + (bias ? bias[c] : 0.0f);
}

void rotary(float* x, int64_t num_heads, int64_t D, int64_t R, const float* cos, const float* sin, RotaryLayout layout) {
  const bool halves = layout == RotaryLayout::kHalves;
  for (int64_t h = 0; h < num_heads; ++h) {
    for (int64_t i = 0; i < R / 2; ++i) {
      float& a = x[h * D + (halves ? i : 2 * i)];
      float& b = x[h * D + (halves ? i + R / 2 : 2 * i + 1)];
      const float rotated = a * cos[i] - b * sin[i];
      b = b * cos[i] + a * sin[i];
      a = rotated;
    }
  }
}

void store_f16(const float* src, uint16_t* dst, int64_t count) { quant::from_f32(DType::kF16, src, dst, count); }

void store_q8_0(const float* src, uint8_t* dst, int64_t count) { quant::from_f32(DType::kQ8_0, src, dst, count); }

void widen(DType dtype, const uint16_t* src, float* dst, int64_t count) { quant::to_f32(dtype, src, dst, count); }

}  // namespace atelier::kernels::scalar
