#include "atelier/nn/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "atelier/base/error.h"

namespace atelier::nn {
namespace {

using Inverse = std::vector<float>;

Inverse plain(double theta, int64_t rotary_dim) {
  Inverse inverse(static_cast<size_t>(rotary_dim / 2));
  for (size_t i = 0; i < inverse.size(); ++i) {
    inverse[i] = static_cast<float>(1.0 / std::pow(theta, 2.0 * static_cast<double>(i) / static_cast<double>(rotary_dim)));
  }
  return inverse;
}

// theta grows so that the longest wavelength just covers the planned context.
Inverse dynamic_ntk(const RopeSpec& spec, int64_t planned_context) {
  const double dim = static_cast<double>(spec.rotary_dim);
  const double length = static_cast<double>(std::max(planned_context, spec.original_context));
  const double stretch = spec.factor * length / static_cast<double>(spec.original_context) - (spec.factor - 1);
  return plain(spec.theta * std::pow(stretch, dim / (dim - 2)), spec.rotary_dim);
}

// High frequencies stay, low ones are divided by `factor`, those between are mixed by their wavelength.
Inverse llama3(const RopeSpec& spec) {
  Inverse inverse = plain(spec.theta, spec.rotary_dim);
  const double original = static_cast<double>(spec.original_context);
  for (float& frequency : inverse) {
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength < original / spec.high_freq_factor) continue;
    if (wavelength > original / spec.low_freq_factor) {
      frequency = static_cast<float>(frequency / spec.factor);
      continue;
    }
    const double smooth = (original / wavelength - spec.low_freq_factor) / (spec.high_freq_factor - spec.low_freq_factor);
    frequency = static_cast<float>((1 - smooth) * frequency / spec.factor + smooth * frequency);
  }
  return inverse;
}

// Dimensions that turn more than beta_fast times in the original context extrapolate, those under beta_slow interpolate.
Inverse yarn(const RopeSpec& spec) {
  const double dim = static_cast<double>(spec.rotary_dim);
  const auto dimension_of = [&](double turns) {
    return dim * std::log(static_cast<double>(spec.original_context) / (turns * 2 * std::numbers::pi)) / (2 * std::log(spec.theta));
  };
  double low = dimension_of(spec.beta_fast), high = dimension_of(spec.beta_slow);
  if (spec.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1);
  if (low == high) high += 0.001;
  Inverse inverse = plain(spec.theta, spec.rotary_dim);
  for (size_t i = 0; i < inverse.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    inverse[i] = static_cast<float>(inverse[i] / spec.factor * ramp + inverse[i] * (1 - ramp));
  }
  return inverse;
}

float yarn_attention_factor(const RopeSpec& spec) {
  const auto mscale = [&](double m) { return spec.factor <= 1 ? 1.0 : 0.1 * m * std::log(spec.factor) + 1.0; };
  if (spec.mscale != 0 && spec.mscale_all_dim != 0) return static_cast<float>(mscale(spec.mscale) / mscale(spec.mscale_all_dim));
  return static_cast<float>(mscale(1));
}

bool uses_long_factors(const RopeSpec& spec, int64_t planned_context) { return planned_context > spec.original_context; }

Inverse divided(Inverse inverse, const std::vector<float>& divisors) {
  ATELIER_CHECK(divisors.size() == inverse.size());
  for (size_t i = 0; i < inverse.size(); ++i) inverse[i] /= divisors[i];
  return inverse;
}

float longrope_attention_factor(const RopeSpec& spec) {
  if (spec.factor <= 1) return 1;
  return static_cast<float>(std::sqrt(1 + std::log(spec.factor) / std::log(static_cast<double>(spec.original_context))));
}

}  // namespace

RopeFrequencies rope_frequencies(const RopeSpec& spec, int64_t planned_context) {
  RopeFrequencies out;
  switch (spec.scaling) {
    case RopeScaling::kNone:
      out.inverse = plain(spec.theta, spec.rotary_dim);
      break;
    case RopeScaling::kLinear:
      out.inverse = plain(spec.theta, spec.rotary_dim);
      for (float& frequency : out.inverse) frequency = static_cast<float>(frequency / spec.factor);
      break;
    case RopeScaling::kDynamic:
      out.inverse = dynamic_ntk(spec, planned_context);
      break;
    case RopeScaling::kLlama3:
      out.inverse = llama3(spec);
      break;
    case RopeScaling::kYarn:
      out.inverse = yarn(spec);
      out.attention_factor = yarn_attention_factor(spec);
      break;
    case RopeScaling::kLongRope:
      out.inverse =
          divided(plain(spec.theta, spec.rotary_dim), uses_long_factors(spec, planned_context) ? spec.long_factors : spec.short_factors);
      out.attention_factor = longrope_attention_factor(spec);
      break;
  }
  if (!spec.frequency_factors.empty()) out.inverse = divided(std::move(out.inverse), spec.frequency_factors);
  if (spec.attention_factor != 0) out.attention_factor = static_cast<float>(spec.attention_factor);
  return out;
}

std::string describe_length_dependence(const RopeSpec& spec, int64_t planned_context) {
  const std::string planned = " chosen for a planned context of " + std::to_string(planned_context) + " (trained with " +
                              std::to_string(spec.original_context) + ")";
  if (spec.scaling == RopeScaling::kDynamic) return "dynamic NTK rotary frequencies" + planned;
  if (spec.scaling == RopeScaling::kLongRope) {
    return std::string("longrope: ") + (uses_long_factors(spec, planned_context) ? "long" : "short") + " factors" + planned;
  }
  return {};
}

void RopeTable::ensure(int64_t num_positions) {
  const int64_t have = cos_ ? cos_.dim(0) : 0;
  if (num_positions <= have) return;
  const int64_t rows = std::max({num_positions, 2 * have, int64_t{256}});
  const int64_t half = static_cast<int64_t>(frequencies_.inverse.size());
  cos_ = Tensor::zeros(DType::kF32, {rows, half});
  sin_ = Tensor::zeros(DType::kF32, {rows, half});
  for (int64_t p = 0; p < rows; ++p) {
    for (int64_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(p) * frequencies_.inverse[static_cast<size_t>(i)];  // float32, as transformers does
      cos_.f32()[p * half + i] = static_cast<float>(std::cos(static_cast<double>(angle))) * frequencies_.attention_factor;
      sin_.f32()[p * half + i] = static_cast<float>(std::sin(static_cast<double>(angle))) * frequencies_.attention_factor;
    }
  }
}

}  // namespace atelier::nn
