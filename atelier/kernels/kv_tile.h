// How a page holds the keys, or the values, of 64 tokens for one kv head: as the products of attention read them, so that a row that is
// decoded streams through the cache and turns nothing.
//
//             keys                                 values
//   kF32      [W][64]                              [64][W]
//   kF16      [W/2][64][2]                         [32][W][2]
//   kQ8_0     [W/2][64][2] bytes, scales [W/32][64]  [32][W][2] bytes, scales [W/32][64]
//
// W is attention_width(D); keys d >= D are zeros. The last dimension pairs two consecutive inputs of a sum, which are columns d for a score
// and tokens for a weighted value: one load brings the pairs of as many lanes, tokens or columns, as a vector has. kQ8_0 has a half float
// scale for every 32 columns of a token: value = scale * byte.
#pragma once

#include <cstdint>

#include "atelier/kernels/kernels.h"

namespace atelier::kernels {

// Bytes of the keys, or of the values, of one head in a page. A multiple of 64.
int64_t kv_tile_bytes(DType dtype, int64_t head_dim);

// Token s (0 .. 63) of a tile, to and from D float32.
void store_key(DType dtype, const float* key, int64_t D, int64_t s, uint8_t* tile);
void store_value(DType dtype, const float* value, int64_t D, int64_t s, uint8_t* tile);
void load_key(DType dtype, const uint8_t* tile, int64_t D, int64_t s, float* key);
void load_value(DType dtype, const uint8_t* tile, int64_t D, int64_t s, float* value);

// The keys and values of one token for one kv head.
void load_kv(const KvView& kv, int64_t kv_head, int64_t head_dim, int64_t position, float* key, float* value);

}  // namespace atelier::kernels
