// Attention with the online softmax, one query row at a time.
#include <algorithm>
#include <cmath>
#include <limits>

#include "atelier/kernels/scalar/scalar.h"
#include "atelier/quant/quant.h"

namespace atelier::kernels::scalar {
namespace {

struct Query {
  const float* q;
  float* out;  // the running weighted sum of values, then the result
  int64_t position;
  float alibi_slope;
};

float score(const AttentionShape& shape, const Query& query, const float* key, int64_t s) {
  float dot = 0;
  for (int64_t d = 0; d < shape.head_dim; ++d) dot += query.q[d] * key[d];
  dot *= shape.scale;
  if (shape.soft_cap > 0) dot = shape.soft_cap * std::tanh(dot / shape.soft_cap);
  return dot + query.alibi_slope * static_cast<float>(s - query.position);
}

void attend(const AttentionShape& shape, const AttentionBlock& block, const Query& query, float* row) {
  const int64_t D = shape.head_dim;
  const int64_t first = shape.window > 0 ? std::max<int64_t>(0, query.position + 1 - shape.window) : 0;
  float largest = -std::numeric_limits<float>::infinity();
  float total = 0;
  std::fill_n(query.out, D, 0.0f);
  for (int64_t tile = first / kKeyTile * kKeyTile; tile <= query.position; tile += kKeyTile) {
    const uint8_t* page = block.pages[tile / kKeyTile];
    const int64_t begin = std::max(first, tile), end = std::min(query.position + 1, tile + kKeyTile);
    float scores[kKeyTile];
    float tile_largest = largest;
    for (int64_t s = begin; s < end; ++s) {
      quant::to_f32(block.dtype, page + block.k_offset + (s - tile) * block.row_bytes, row, D);
      scores[s - tile] = score(shape, query, row, s);
      tile_largest = std::max(tile_largest, scores[s - tile]);
    }
    const float correction = std::exp(largest - tile_largest);
    largest = tile_largest;
    total *= correction;
    for (int64_t d = 0; d < D; ++d) query.out[d] *= correction;
    for (int64_t s = begin; s < end; ++s) {
      const float weight = std::exp(scores[s - tile] - largest);
      total += weight;
      quant::to_f32(block.dtype, page + block.v_offset + (s - tile) * block.row_bytes, row, D);
      for (int64_t d = 0; d < D; ++d) query.out[d] += weight * row[d];
    }
  }
  for (int64_t d = 0; d < D; ++d) query.out[d] /= total;
}

}  // namespace

void attention(const AttentionShape& shape, const AttentionBlock& block, float* scratch) {
  for (int64_t t = 0; t < block.num_rows; ++t) {
    for (int64_t h = 0; h < block.num_heads; ++h) {
      const int64_t offset = h * shape.head_dim;
      const float slope = block.alibi_slopes ? block.alibi_slopes[h] : 0.0f;
      attend(shape, block, {block.q + t * block.ldq + offset, block.out + t * block.ldo + offset, block.first_position + t, slope},
             scratch);
    }
  }
}

}  // namespace atelier::kernels::scalar
