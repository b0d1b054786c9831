// Attention with the online softmax, one query at a time.
#include <algorithm>
#include <cmath>
#include <limits>

#include "atelier/kernels/kv_tile.h"
#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {
namespace {

constexpr float kLog2E = 1.44269504088896341f;

struct Query {
  const float* q;
  int64_t position;
  float alibi_slope;
  const float* relative_bias;  // of its head at distance 0, or null
  float* values;               // its sums
  float* largest;
  float* total;
};

float score(const AttentionShape& shape, const Query& query, const float* key, int64_t s) {
  float dot = 0;
  for (int64_t d = 0; d < shape.head_dim; ++d) dot += query.q[d] * key[d];
  dot *= shape.scale;
  if (shape.soft_cap > 0) dot = shape.soft_cap * std::tanh(dot / shape.soft_cap);
  if (query.relative_bias != nullptr) dot += query.relative_bias[std::clamp(s - query.position, -shape.reach, shape.reach)];
  return kLog2E * (dot + query.alibi_slope * static_cast<float>(s - query.position));
}

void attend(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const Query& query, float* row) {
  const int64_t D = shape.head_dim;
  const int64_t first = shape.window > 0 ? std::max<int64_t>(0, query.position + 1 - shape.window) : 0;
  const int64_t span_end = std::min(std::max(query.position + 1, block.prefix), (span + 1) * kKeySpan);
  for (int64_t tile = std::max(first, span * kKeySpan) / kKeyTile * kKeyTile; tile < span_end; tile += kKeyTile) {
    const uint8_t* keys = block.pages[tile / kKeyTile] + block.offset;
    const uint8_t* values = keys + block.tile_bytes;
    const int64_t begin = std::max(first, tile), end = std::min(span_end, tile + kKeyTile);
    float scores[kKeyTile];
    float largest = *query.largest;
    for (int64_t s = begin; s < end; ++s) {
      load_key(block.dtype, keys, D, s - tile, row);
      scores[s - tile] = score(shape, query, row, s);
      largest = std::max(largest, scores[s - tile]);
    }
    const float correction = std::exp2(*query.largest - largest);
    *query.largest = largest;
    *query.total *= correction;
    for (int64_t d = 0; d < D; ++d) query.values[d] *= correction;
    for (int64_t s = begin; s < end; ++s) {
      const float weight = std::exp2(scores[s - tile] - largest);
      *query.total += weight;
      load_value(block.dtype, values, D, s - tile, row);
      for (int64_t d = 0; d < D; ++d) query.values[d] += weight * row[d];
    }
  }
}

}  // namespace

void attention_f32(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch) {
  for (int64_t i = 0; i < block.num_rows * block.num_heads; ++i) {
    const int64_t t = i / block.num_heads, h = i % block.num_heads;
    const Query query = {.q = block.q + t * block.ldq + h * shape.head_dim,
                         .position = block.first_position + t,
                         .alibi_slope = block.alibi_slopes ? block.alibi_slopes[h] : 0.0f,
                         .relative_bias = block.relative_bias ? block.relative_bias + h * (2 * shape.reach + 1) + shape.reach : nullptr,
                         .values = sums.values + i * sums.width,
                         .largest = sums.largest + i,
                         .total = sums.totals + i};
    std::fill_n(query.values, sums.width, 0.0f);
    *query.largest = -std::numeric_limits<float>::infinity();
    *query.total = 0;
    attend(shape, block, span, query, scratch);
  }
}

void attention_fold(const AttentionSums& part, int64_t num_queries, const AttentionSums& whole) {
  for (int64_t i = 0; i < num_queries; ++i) {
    if (part.totals[i] == 0) continue;  // sees nothing of this span
    const float largest = std::max(whole.largest[i], part.largest[i]);
    const float whole_factor = std::exp2(whole.largest[i] - largest), part_factor = std::exp2(part.largest[i] - largest);
    for (int64_t d = i * whole.width; d < (i + 1) * whole.width; ++d) {
      whole.values[d] = whole.values[d] * whole_factor + part.values[d] * part_factor;
    }
    whole.totals[i] = whole.totals[i] * whole_factor + part.totals[i] * part_factor;
    whole.largest[i] = largest;
  }
}

void attention_write(const AttentionShape& shape, const AttentionBlock& block, const AttentionSums& whole) {
  for (int64_t i = 0; i < block.num_rows * block.num_heads; ++i) {
    float* out = block.out + i / block.num_heads * block.ldo + i % block.num_heads * shape.head_dim;
    if (block.log_sums != nullptr) {
      block.log_sums[i / block.num_heads * block.ld_log_sums + i % block.num_heads] = whole.largest[i] + std::log2(whole.totals[i]);
    }
    for (int64_t d = 0; d < shape.head_dim; ++d) out[d] = whole.values[i * whole.width + d] / whole.totals[i];
  }
}

}  // namespace atelier::kernels::scalar
