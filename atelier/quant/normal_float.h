// The sixteen levels of NF4: quantiles of a normal distribution, scaled so that the largest magnitude is 1, and an exact zero.
//
// Source   Dettmers et al. 2023, arXiv:2305.14314, appendix E
#pragma once

#include <cstdint>

namespace atelier::quant {

inline constexpr float kNormalFloatLevels[16] = {-1.0f,
                                                 -0.6961928009986877f,
                                                 -0.5250730514526367f,
                                                 -0.39491748809814453f,
                                                 -0.28444138169288635f,
                                                 -0.18477343022823334f,
                                                 -0.09105003625154495f,
                                                 0.0f,
                                                 0.07958029955625534f,
                                                 0.16093020141124725f,
                                                 0.24611230194568634f,
                                                 0.33791524171829224f,
                                                 0.44070982933044434f,
                                                 0.5626170039176941f,
                                                 0.7229568362236023f,
                                                 1.0f};

// The same in 127ths, rounded, 128 added: what integer products read.
inline constexpr uint8_t kNormalFloatBytes[16] = {1, 40, 61, 78, 92, 105, 116, 128, 138, 148, 159, 171, 184, 199, 220, 255};

}  // namespace atelier::quant
