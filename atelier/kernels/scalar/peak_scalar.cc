#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {

int64_t peak_f32(int64_t rounds, float* memory) {
  const float a = memory[0], b = memory[1];
  float sums[kPeakFloats] = {};
  for (int64_t i = 0; i < rounds; ++i) {
    for (float& sum : sums) sum = sum * a + b;
  }
  for (int64_t j = 0; j < kPeakFloats; ++j) memory[j] += sums[j];
  return rounds * kPeakFloats * 2;
}

int64_t peak_int8(int64_t rounds, float* memory) {
  const auto a = static_cast<int32_t>(memory[0]), b = static_cast<int32_t>(memory[1]);
  uint32_t sums[kPeakFloats] = {};
  for (int64_t i = 0; i < rounds; ++i) {
    for (uint32_t& sum : sums) sum = (sum + static_cast<uint32_t>(a)) * static_cast<uint32_t>(b);
  }
  for (int64_t j = 0; j < kPeakFloats; ++j) memory[j] += static_cast<float>(sums[j] & 1);
  return rounds * kPeakFloats * 2;
}

}  // namespace atelier::kernels::scalar
