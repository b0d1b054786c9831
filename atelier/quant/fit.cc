#include "atelier/quant/fit.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace atelier::quant {
namespace {

// Below this a group counts as constant: the inverse of its range would leave the floats.
constexpr float kSmallestRange = 1e-30f;

// Below this share of sum w * sum w l^2 the levels are all alike up to rounding, and scale and offset cannot be told apart.
constexpr float kSmallestSpread = 1e-5f;

// Rounds of "round, then solve" after the scan; most groups settle in one or two.
constexpr int kRefinements = 4;

// Four floats: g++ and clang turn the operators into one SIMD instruction each on every target.
using Lanes = float __attribute__((vector_size(16)));
constexpr int kLanes = 4;

Lanes load(const float* p) {
  Lanes v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
Lanes broadcast(float f) { return Lanes{f, f, f, f}; }
float sum(Lanes v) { return (v[0] + v[1]) + (v[2] + v[3]); }

// To the nearest integer, ties to even, for |v| < 2^22: adding 1.5 * 2^23 pushes the fraction out of the mantissa.
Lanes round_to_integer(Lanes v) {
  const Lanes magic = broadcast(12582912.0f);
  return (v + magic) - magic;
}
Lanes hold(Lanes v, float lowest, float highest) {
  const Lanes low = broadcast(lowest), high = broadcast(highest);
  v = v > low ? v : low;  // NaN becomes the lowest level
  return v < high ? v : high;
}

struct ScaleSums {
  float xl = 0;                                             // sum w * x * l
  float ll = 0;                                             // sum w * l * l
  float gain() const { return ll > 0 ? xl * xl / ll : 0; }  // by how much the best scale lowers sum w * x^2
};

ScaleSums scale_sums(const float* x, const float* weights, int n, float inverse, LevelRange range) {
  Lanes xl{}, ll{};
  for (int i = 0; i < n; i += kLanes) {
    const Lanes v = load(x + i);
    const Lanes l = round_to_integer(hold(v * inverse, static_cast<float>(range.lowest), static_cast<float>(range.highest)));
    const Lanes wl = load(weights + i) * l;
    xl += wl * v;
    ll += wl * l;
  }
  return {sum(xl), sum(ll)};
}

struct GroupSums {
  float w = 0;  // sum w
  float x = 0;  // sum w * x
};

GroupSums group_sums(const float* x, const float* weights, int n) {
  Lanes w{}, wx{};
  for (int i = 0; i < n; i += kLanes) {
    w += load(weights + i);
    wx += load(weights + i) * load(x + i);
  }
  return {sum(w), sum(wx)};
}

struct Solution {
  AffineFit fit;
  float gain;  // by how much it lowers sum w * x^2
};

// The best scale and offset for the levels round((x + offset) * inverse).
Solution solve(const float* x, const float* weights, int n, float inverse, float offset, float highest, GroupSums group, bool any_offset) {
  Lanes lanes_l{}, lanes_ll{}, lanes_xl{};
  for (int i = 0; i < n; i += kLanes) {
    const Lanes v = load(x + i);
    const Lanes l = round_to_integer(hold((v + offset) * inverse, 0, highest));
    const Lanes wl = load(weights + i) * l;
    lanes_l += wl;
    lanes_ll += wl * l;
    lanes_xl += wl * v;
  }
  const float l = sum(lanes_l), ll = sum(lanes_ll), xl = sum(lanes_xl);
  const float determinant = group.w * ll - l * l;
  if (determinant > kSmallestSpread * group.w * ll) {
    const float scale = (group.w * xl - group.x * l) / determinant;
    const float offset_best = (l * xl - ll * group.x) / determinant;
    if (scale > 0 && (any_offset || offset_best >= 0)) return {{scale, offset_best}, scale * xl - offset_best * group.x};
  }
  const float scale = ll > 0 ? std::max(xl / ll, 0.0f) : 0;
  return {{scale, 0}, scale * xl};
}

}  // namespace

void weigh(const float* x, const float* importance, int n, float mean_square, float* weights) {
  for (int i = 0; i < n; ++i) weights[i] = (importance ? importance[i] : 1.0f) * std::sqrt(mean_square + x[i] * x[i]);
}

float fit_scale(const float* x, const float* weights, int n, LevelRange range) {
  const float extreme = *std::max_element(x, x + n, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  if (!(std::fabs(extreme) > kSmallestRange)) return 0;
  const float anchor = static_cast<float>(range.anchor);
  float scale = extreme / anchor;
  float best = -1;
  const auto consider = [&](float inverse) {
    const ScaleSums sums = scale_sums(x, weights, n, inverse, range);
    if (!(sums.gain() > best) || !(sums.ll > 0)) return false;
    best = sums.gain();
    scale = sums.xl / sums.ll;
    return true;
  };
  // Start scales: the extreme value lands up to 0.9 levels inside or outside of the anchor.
  const float outward = anchor < 0 ? -0.1f : 0.1f;
  for (int step = -9; step <= 9; ++step) consider((anchor + outward * static_cast<float>(step)) / extreme);
  for (int i = 0; i < kRefinements && scale != 0; ++i) {
    if (!consider(1 / scale)) break;
  }
  return scale;
}

AffineFit fit_affine(const float* x, const float* weights, int n, int highest, bool any_offset) {
  const auto [lowest_x, highest_x] = std::minmax_element(x, x + n);
  const float base = any_offset ? *lowest_x : std::min(*lowest_x, 0.0f);
  const float range = *highest_x - base;
  const float levels = static_cast<float>(highest);
  if (!(range > kSmallestRange)) return {0, -base};
  const GroupSums group = group_sums(x, weights, n);
  Solution best{{range / levels, -base}, 0};
  const auto consider = [&](float inverse, float offset) {
    const Solution found = solve(x, weights, n, inverse, offset, levels, group, any_offset);
    if (!(found.gain > best.gain)) return false;
    best = found;
    return true;
  };
  // Start scales: the range covers from one level less to one level more than there are.
  for (int step = -20; step <= 20; ++step) consider((levels + 0.05f * static_cast<float>(step)) / range, -base);
  for (int i = 0; i < kRefinements && best.fit.scale > 0; ++i) {
    if (!consider(1 / best.fit.scale, best.fit.offset)) break;
  }
  return best.fit;
}

void round_levels(const float* x, int n, float scale, float offset, int lowest, int highest, uint8_t* levels) {
  const float inverse = scale != 0 ? 1 / scale : 0;
  const float low = static_cast<float>(lowest), high = static_cast<float>(highest);
  for (int i = 0; i < n; i += kLanes) {
    const Lanes l = round_to_integer(hold((load(x + i) + offset) * inverse, low, high)) - low;
    for (int j = 0; j < kLanes; ++j) levels[i + j] = static_cast<uint8_t>(l[j]);
  }
}

float rounding_error(const float* x, const float* weights, int n, float scale, float offset, int lowest, int highest) {
  const float inverse = scale != 0 ? 1 / scale : 0;
  Lanes error{};
  for (int i = 0; i < n; i += kLanes) {
    const Lanes v = load(x + i) + offset;
    const Lanes level = round_to_integer(hold(v * inverse, static_cast<float>(lowest), static_cast<float>(highest)));
    const Lanes missed = v - level * scale;
    error += load(weights + i) * missed * missed;
  }
  return sum(error);
}

}  // namespace atelier::quant
