#include "atelier/convert/rope_fit.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "atelier/nn/rope.h"

namespace atelier::convert {
namespace {

constexpr double kTolerance = 1e-4;

bool gives_the_same(const nn::RopeSpec& a, const nn::RopeSpec& b) {
  const std::vector<float> x = nn::rope_frequencies(a, 0).inverse, y = nn::rope_frequencies(b, 0).inverse;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::fabs(x[i] - y[i]) > kTolerance * std::fabs(x[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<nn::RopeSpec> llama3_rope_of(const nn::RopeSpec& rope) {
  if (rope.frequency_factors.empty() || rope.scaling != nn::RopeScaling::kNone) return std::nullopt;
  nn::RopeSpec plain = rope;
  plain.frequency_factors.clear();
  const std::vector<float> inverse = nn::rope_frequencies(plain, 0).inverse;
  nn::RopeSpec fitted = plain;
  fitted.scaling = nn::RopeScaling::kLlama3;
  fitted.factor = *std::ranges::max_element(rope.frequency_factors);
  fitted.low_freq_factor = 1;
  fitted.high_freq_factor = 4;
  // Between the thresholds 1 / divisor = (1 - smooth) / factor + smooth, with smooth = (original / wavelength - low) / (high - low).
  std::vector<int64_t> contexts = {8192};
  for (size_t i = 0; i < inverse.size(); ++i) {
    const double divisor = rope.frequency_factors[i];
    if (divisor < 1.001 || divisor > 0.999 * fitted.factor) continue;
    const double smooth = (1 / divisor - 1 / fitted.factor) / (1 - 1 / fitted.factor);
    const double turns = fitted.low_freq_factor + smooth * (fitted.high_freq_factor - fitted.low_freq_factor);
    contexts.push_back(std::llround(turns * 2 * std::numbers::pi / inverse[i]));
  }
  for (const int64_t context : contexts) {
    fitted.original_context = context;
    if (gives_the_same(fitted, rope)) return fitted;
  }
  return std::nullopt;
}

}  // namespace atelier::convert
