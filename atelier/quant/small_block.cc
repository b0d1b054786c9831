#include "atelier/quant/small_block.h"

#include <algorithm>
#include <cmath>

#include "atelier/quant/fields.h"
#include "atelier/quant/fit.h"

namespace atelier::quant {
namespace {

float mean_square(const float* x) {
  float squares = 0;
  for (int i = 0; i < kSmallBlock; ++i) squares += x[i] * x[i];
  return squares / kSmallBlock;
}

// 1 / scale for rounding by the unrounded scale; 0 where that would not be finite.
float inverse_of(float scale) { return std::fabs(scale) > 1e-37f ? 1 / scale : 0; }

// trunc(v) held to 0..highest; NaN gives 0.
uint8_t level_of(float v, int highest) { return v > 0 ? static_cast<uint8_t>(std::min(v, static_cast<float>(highest))) : 0; }

}  // namespace

void fit_symmetric_small_block(const float* x, const float* importance, int half_level, uint8_t* d_field, uint8_t* levels) {
  if (importance != nullptr) {
    float weights[kSmallBlock];
    weigh(x, importance, kSmallBlock, mean_square(x), weights);
    const float d = store_half(fit_scale(x, weights, kSmallBlock, {-half_level, half_level - 1, -half_level}), d_field);
    round_levels(x, kSmallBlock, d, 0, -half_level, half_level - 1, levels);
    return;
  }
  const float extreme = *std::max_element(x, x + kSmallBlock, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  const float d = std::clamp(extreme / static_cast<float>(-half_level), -kLargestHalf, kLargestHalf);
  store_half(d, d_field);
  const float inverse = inverse_of(d), middle = static_cast<float>(half_level) + 0.5f;
  for (int i = 0; i < kSmallBlock; ++i) levels[i] = level_of(x[i] * inverse + middle, 2 * half_level - 1);
}

void fit_affine_small_block(const float* x, const float* importance, int highest, uint8_t* d_field, uint8_t* lowest_field,
                            uint8_t* levels) {
  if (importance != nullptr) {
    float weights[kSmallBlock];
    weigh(x, importance, kSmallBlock, mean_square(x), weights);
    const AffineFit fit = fit_affine(x, weights, kSmallBlock, highest, /*any_offset=*/true);
    const float d = store_half(fit.scale, d_field);
    const float lowest = store_half(-fit.offset, lowest_field);
    round_levels(x, kSmallBlock, d, -lowest, 0, highest, levels);
    return;
  }
  const auto [low, high] = std::minmax_element(x, x + kSmallBlock);
  const float lowest = std::clamp(*low, -kLargestHalf, kLargestHalf);
  const float d = std::clamp((*high - lowest) / static_cast<float>(highest), 0.0f, kLargestHalf);
  store_half(d, d_field);
  store_half(lowest, lowest_field);
  const float inverse = inverse_of(d);
  for (int i = 0; i < kSmallBlock; ++i) levels[i] = level_of((x[i] - lowest) * inverse + 0.5f, highest);
}

void unpack_symmetric_small_block(const uint8_t* scale, const uint8_t* levels, int half_level, float* x) {
  const float d = load_half(scale);
  for (int i = 0; i < kSmallBlock; ++i) x[i] = d * static_cast<float>(levels[i] - half_level);
}

void unpack_affine_small_block(const uint8_t* head, const uint8_t* levels, float* x) {
  const float d = load_half(head), lowest = load_half(head + 2);
  for (int i = 0; i < kSmallBlock; ++i) x[i] = d * static_cast<float>(levels[i]) + lowest;
}

}  // namespace atelier::quant
