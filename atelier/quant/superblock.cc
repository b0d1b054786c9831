#include "atelier/quant/superblock.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atelier/quant/fields.h"
#include "atelier/quant/fit.h"

namespace atelier::quant {
namespace {

constexpr int kMostGroups = 16;

float mean_square(const float* x) {
  float squares = 0;
  for (int i = 0; i < kSuperblock; ++i) squares += x[i] * x[i];
  return squares / kSuperblock;
}

// The integer nearest to value / unit within [lowest, highest]; 0 when the unit is.
int nearest(float value, float unit, int lowest, int highest) {
  if (unit == 0) return 0;
  const float ratio = std::clamp(value / unit, static_cast<float>(lowest), static_cast<float>(highest));
  return static_cast<int>(std::lrint(ratio));
}

// The weights of one block and their sum in each group.
struct BlockWeights {
  float of_value[kSuperblock];
  float of_group[kMostGroups];

  BlockWeights(const float* x, const float* importance, int group) {
    const float mean = mean_square(x);
    for (int g = 0; g < kSuperblock / group; ++g) {
      const int at = g * group;
      weigh(x + at, importance ? importance + at : nullptr, group, mean, of_value + at);
      of_group[g] = std::accumulate(of_value + at, of_value + at + group, 0.0f);
    }
  }
};

// Chooses among the integer pairs around (scale, offset) the one that loses least, and rounds the group with it.
void settle_affine_group(const float* x, const float* weights, AffineShape shape, AffineFit fit, float d, float dmin, int g,
                         AffineBlock& block) {
  const int scale = nearest(fit.scale, d, 0, shape.highest_scale);
  const int offset = nearest(fit.offset, dmin, 0, shape.highest_scale);
  int best_scale = scale, best_offset = offset;
  float least = -1;
  for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, shape.highest_scale); ++s) {
    for (int o = std::max(offset - 1, 0); o <= std::min(offset + 1, shape.highest_scale); ++o) {
      const float error =
          rounding_error(x, weights, shape.group, d * static_cast<float>(s), dmin * static_cast<float>(o), 0, shape.highest_level);
      if (least >= 0 && !(error < least)) continue;
      least = error;
      best_scale = s;
      best_offset = o;
    }
  }
  block.scales[g] = static_cast<uint8_t>(best_scale);
  block.offsets[g] = static_cast<uint8_t>(best_offset);
  round_levels(x, shape.group, d * static_cast<float>(best_scale), dmin * static_cast<float>(best_offset), 0, shape.highest_level,
               block.levels + g * shape.group);
}

void settle_symmetric_group(const float* x, const float* weights, SymmetricShape shape, float fitted, float d, int g,
                            SymmetricBlock& block) {
  const int lowest = -shape.half_level, highest = shape.half_level - 1;
  const int scale = nearest(fitted, d, -shape.half_scale, shape.half_scale - 1);
  int best_scale = scale;
  float least = -1;
  for (int s = std::max(scale - 1, -shape.half_scale); s <= std::min(scale + 1, shape.half_scale - 1); ++s) {
    const float error = rounding_error(x, weights, shape.group, d * static_cast<float>(s), 0, lowest, highest);
    if (least >= 0 && !(error < least)) continue;
    least = error;
    best_scale = s;
  }
  block.scales[g] = static_cast<int8_t>(best_scale);
  round_levels(x, shape.group, d * static_cast<float>(best_scale), 0, lowest, highest, block.levels + g * shape.group);
}

}  // namespace

AffineBlock fit_affine_block(const float* x, const float* importance, AffineShape shape, uint8_t* d_field, uint8_t* dmin_field) {
  const BlockWeights weights(x, importance, shape.group);
  const int groups = kSuperblock / shape.group;
  AffineFit fits[kMostGroups];
  float scales[kMostGroups], offsets[kMostGroups];
  for (int g = 0; g < groups; ++g) {
    const int at = g * shape.group;
    fits[g] = fit_affine(x + at, weights.of_value + at, shape.group, shape.highest_level, /*any_offset=*/false);
    scales[g] = fits[g].scale;
    offsets[g] = fits[g].offset;
  }
  const LevelRange range{0, shape.highest_scale, shape.highest_scale};
  const float d = store_half(fit_scale(scales, weights.of_group, groups, range), d_field);
  const float dmin = store_half(fit_scale(offsets, weights.of_group, groups, range), dmin_field);
  AffineBlock block{};
  for (int g = 0; g < groups; ++g) {
    const int at = g * shape.group;
    settle_affine_group(x + at, weights.of_value + at, shape, fits[g], d, dmin, g, block);
  }
  return block;
}

SymmetricBlock fit_symmetric_block(const float* x, const float* importance, SymmetricShape shape, uint8_t* d_field) {
  const BlockWeights weights(x, importance, shape.group);
  const int groups = kSuperblock / shape.group;
  float scales[kMostGroups];
  for (int g = 0; g < groups; ++g) {
    const int at = g * shape.group;
    scales[g] = fit_scale(x + at, weights.of_value + at, shape.group, {-shape.half_level, shape.half_level - 1, -shape.half_level});
  }
  const LevelRange range{-shape.half_scale, shape.half_scale - 1, -shape.half_scale};
  const float d = store_half(fit_scale(scales, weights.of_group, groups, range), d_field);
  SymmetricBlock block{};
  for (int g = 0; g < groups; ++g) {
    const int at = g * shape.group;
    settle_symmetric_group(x + at, weights.of_value + at, shape, scales[g], d, g, block);
  }
  return block;
}

}  // namespace atelier::quant
