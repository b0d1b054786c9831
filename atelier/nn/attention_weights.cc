#include "atelier/nn/attention_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atelier::nn {

void attention_weights(const kernels::AttentionShape& shape, const Tensor& q, const Tensor& k, int64_t head, int64_t position, float* out) {
  const int64_t D = shape.head_dim, T = k.dim(0), kv_head = head / (shape.num_heads / shape.num_kv_heads);
  const float* query = q.f32() + position * q.dim(1) + head * D;
  const int64_t first = shape.window > 0 ? std::max<int64_t>(0, position + 1 - shape.window) : 0;
  std::fill(out, out + T, 0.0f);
  double largest = -std::numeric_limits<double>::infinity();
  for (int64_t s = first; s <= position; ++s) {
    const float* key = k.f32() + s * k.dim(1) + kv_head * D;
    double score = 0;
    for (int64_t d = 0; d < D; ++d) score += static_cast<double>(query[d]) * static_cast<double>(key[d]);
    score *= static_cast<double>(shape.scale);
    if (shape.soft_cap > 0) score = static_cast<double>(shape.soft_cap) * std::tanh(score / static_cast<double>(shape.soft_cap));
    if (shape.alibi_slopes != nullptr) score += static_cast<double>(shape.alibi_slopes[head]) * static_cast<double>(s - position);
    out[s] = static_cast<float>(score);
    largest = std::max(largest, score);
  }
  double total = 0;
  for (int64_t s = first; s <= position; ++s) total += std::exp(static_cast<double>(out[s]) - largest);
  for (int64_t s = first; s <= position; ++s) out[s] = static_cast<float>(std::exp(static_cast<double>(out[s]) - largest) / total);
}

}  // namespace atelier::nn
