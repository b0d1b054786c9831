#include "atelier/nn/positions.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace atelier::nn {

Tensor sinusoids(int64_t num_positions, int64_t width) {
  Tensor table = Tensor::zeros(DType::kF32, {num_positions, width});
  const int64_t half = (width + 1) / 2;
  for (int64_t i = 0; i < half; ++i) {
    const double frequency = std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(width));
    for (int64_t p = 0; p < num_positions; ++p) {
      const double angle = static_cast<double>(p) * frequency;
      table.f32()[p * width + i] = static_cast<float>(std::sin(angle));
      if (half + i < width) table.f32()[p * width + half + i] = static_cast<float>(std::cos(angle));
    }
  }
  return table;
}

// In float32, step by step as Mesh TensorFlow and its heirs: a distance on the border of two buckets falls as it does there.
std::vector<int32_t> distance_buckets(int64_t num_buckets, int64_t max_distance, bool is_bidirectional) {
  const auto of_side = static_cast<int32_t>(is_bidirectional ? num_buckets / 2 : num_buckets);
  const int32_t num_exact = of_side / 2;
  const auto growth = static_cast<float>(std::log(static_cast<double>(max_distance) / num_exact));
  std::vector<int32_t> buckets;
  for (int64_t distance = -max_distance; distance <= max_distance; ++distance) {
    const int32_t first = is_bidirectional && distance > 0 ? of_side : 0;
    const int64_t size = is_bidirectional ? std::abs(distance) : std::max<int64_t>(0, -distance);
    if (size < num_exact) {
      buckets.push_back(first + static_cast<int32_t>(size));
      continue;
    }
    const float place =
        std::log(static_cast<float>(size) / static_cast<float>(num_exact)) / growth * static_cast<float>(of_side - num_exact);
    buckets.push_back(first + std::min(num_exact + static_cast<int32_t>(place), of_side - 1));
  }
  return buckets;
}

}  // namespace atelier::nn
