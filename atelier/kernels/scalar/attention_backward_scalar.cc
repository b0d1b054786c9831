// The backward pass of attention, one query and key at a time, in double.
#include <algorithm>
#include <cmath>

#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {
namespace {

constexpr double kLog2E = 1.44269504088896340736;

double dot(const float* a, const float* b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

void add_scaled_row(const float* x, double factor, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] += static_cast<float>(factor * x[i]);
}

// The pair of query t of head h with key s.
void add_pair(const AttentionShape& shape, const AttentionBackwardBlock& block, int64_t t, int64_t h, int64_t s) {
  const int64_t D = shape.head_dim, query = t * block.ldq + h * D, key = s * block.ldk;
  double score = dot(block.q + query, block.k + key, D) * shape.scale, slope = shape.scale;
  if (shape.soft_cap > 0) {
    const double bent = std::tanh(score / shape.soft_cap);
    score = shape.soft_cap * bent;
    slope *= 1 - bent * bent;
  }
  if (block.alibi_slopes) score += static_cast<double>(block.alibi_slopes[h]) * static_cast<double>(s - t);
  const int64_t bias = h * (2 * shape.reach + 1) + shape.reach + std::clamp(s - t, -shape.reach, shape.reach);
  if (block.relative_bias) score += static_cast<double>(block.relative_bias[bias]);
  const double p = std::exp2(score * kLog2E - block.log_sums[t * block.ld_sums + h]);
  const double dp = dot(block.v + key, block.d_out + query, D);
  const double d_score = p * (dp - block.deltas[t * block.ld_sums + h]), ds = d_score * slope;
  if (block.d_relative_bias) block.d_relative_bias[bias] += static_cast<float>(d_score);
  add_scaled_row(block.d_out + query, p, block.dv + key, D);
  add_scaled_row(block.q + query, ds, block.dk + key, D);
  add_scaled_row(block.k + key, ds, block.dq + query, D);
}

}  // namespace

void attention_backward_f32(const AttentionShape& shape, const AttentionBackwardBlock& block, float*) {
  for (int64_t t = 0; t < block.num_rows; ++t) {
    std::fill_n(block.dq + t * block.ldq, block.num_heads * shape.head_dim, 0.0f);
  }
  for (int64_t s = 0; s < block.num_keys; ++s) {
    std::fill_n(block.dk + s * block.ldk, shape.head_dim, 0.0f);
    std::fill_n(block.dv + s * block.ldk, shape.head_dim, 0.0f);
  }
  for (int64_t t = 0; t < block.num_rows; ++t) {
    const int64_t first = shape.window > 0 ? std::max<int64_t>(0, t + 1 - shape.window) : 0;
    for (int64_t h = 0; h < block.num_heads; ++h) {
      const int64_t last = std::min(block.num_keys, std::max(t + 1, block.prefix));
      for (int64_t s = first; s < last; ++s) add_pair(shape, block, t, h, s);
    }
  }
}

}  // namespace atelier::kernels::scalar
