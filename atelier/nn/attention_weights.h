// What attention multiplies values with, for those who look: the kernels never hold it.
#pragma once

#include "atelier/ops/context.h"

namespace atelier::nn {

// out[s] = softmax_s(scale * q[position, head] . k[s, head / (H / G)]), after soft cap and ALiBi, over the keys that the row sees (causal,
// window); 0 for the others. q [T, H * D], k [T, G * D] of one document; out [T]. Vaswani et al. 2017, section 3.2.1.
void attention_weights(const kernels::AttentionShape& shape, const Tensor& q, const Tensor& k, int64_t head, int64_t position, float* out);

}  // namespace atelier::nn
