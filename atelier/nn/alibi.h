// Attention with linear biases: the slope of each head.
//
// For a power of two H: 2^(-8 (h+1) / H). Otherwise the slopes of the next lower power of two, then every other slope of the next
// higher one, as BLOOM does.                                                     (Press et al. 2021, arXiv:2108.12409)
#pragma once

#include <cstdint>
#include <vector>

namespace atelier::nn {

std::vector<float> alibi_slopes(int64_t num_heads);

}  // namespace atelier::nn
