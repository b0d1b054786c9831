#include "atelier/nn/alibi.h"

#include <bit>
#include <cmath>

namespace atelier::nn {

std::vector<float> alibi_slopes(int64_t num_heads) {
  const auto lower = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(num_heads)));
  const double base = std::exp2(-8.0 / static_cast<double>(lower));
  const double extra_base = std::exp2(-4.0 / static_cast<double>(lower));
  std::vector<float> slopes;
  for (int64_t h = 0; h < num_heads; ++h) {
    slopes.push_back(static_cast<float>(h < lower ? std::pow(base, static_cast<double>(h + 1))
                                                  : std::pow(extra_base, static_cast<double>(2 * (h - lower) + 1))));
  }
  return slopes;
}

}  // namespace atelier::nn
