// Positions without rotation: fixed sines and cosines, and buckets of distances.
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/tensor/tensor.h"

namespace atelier::nn {

// [num_positions, width]: column i < width / 2 is sin(p / 10000^(2 i / width)), column width / 2 + i the cosine of the same. The paper
// has them side by side, which is another order of the same columns.               (Vaswani et al. 2017, arXiv:1706.03762, 3.5)
Tensor sinusoids(int64_t num_positions, int64_t width);

// The bucket of each distance -max_distance .. max_distance from a query to a key. Small distances have a bucket each, larger ones share
// buckets that grow by a constant factor up to max_distance, beyond which all are one. Both ways, half of the buckets are of keys behind
// the query; else those share the bucket of distance 0.                              (Raffel et al. 2020, arXiv:1910.10683, 2.1)
std::vector<int32_t> distance_buckets(int64_t num_buckets, int64_t max_distance, bool is_bidirectional);

}  // namespace atelier::nn
