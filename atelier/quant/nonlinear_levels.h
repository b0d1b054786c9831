// The sixteen levels of IQ4_NL and IQ4_XS: denser around zero, where weights of a normal distribution are.
#pragma once

#include <cstdint>

namespace atelier::quant {

inline constexpr int8_t kNonlinearLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

}  // namespace atelier::quant
