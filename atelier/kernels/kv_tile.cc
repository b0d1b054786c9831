#include "atelier/kernels/kv_tile.h"

#include <algorithm>
#include <cstring>

#include "atelier/kernels/dispatch.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kPart = 32;                // columns that are converted at a time: a block of kQ8_0
constexpr int64_t kPartBytes = kPart * 4;    // of any type
constexpr int64_t kValuesPerThread = 16384;  // the least that is worth a thread

// Where a token's columns lie in a tile: piece i, `columns` columns of `bytes` bytes in all, at first + i * stride.
struct Places {
  int64_t first, stride, columns, bytes;
};

int64_t element_bytes(DType dtype) { return dtype == DType::kF32 ? 4 : dtype == DType::kF16 ? 2 : 1; }
int64_t inputs_side_by_side(DType dtype) { return dtype == DType::kF32 ? 1 : 2; }

Places places_of_key(DType dtype, int64_t s) {
  const int64_t n = inputs_side_by_side(dtype), bytes = n * element_bytes(dtype);
  return {s * bytes, kKeyTile * bytes, n, bytes};
}
Places places_of_value(DType dtype, int64_t W, int64_t s) {
  const int64_t n = inputs_side_by_side(dtype), bytes = element_bytes(dtype);
  return {(s / n * W * n + s % n) * bytes, n * bytes, 1, bytes};
}

// Of kQ8_0: the half float scale of 32 columns from d on.
int64_t place_of_scale(int64_t W, int64_t s, int64_t d) { return W * kKeyTile + (d / kPart * kKeyTile + s) * 2; }

template <int64_t kBytes>
void scatter(const uint8_t* pieces, int64_t count, uint8_t* out, int64_t stride) {
  for (int64_t i = 0; i < count; ++i) std::memcpy(out + i * stride, pieces + i * kBytes, kBytes);
}
template <int64_t kBytes>
void gather(const uint8_t* in, int64_t stride, int64_t count, uint8_t* pieces) {
  for (int64_t i = 0; i < count; ++i) std::memcpy(pieces + i * kBytes, in + i * stride, kBytes);
}

void store_row(DType dtype, const float* row, int64_t D, int64_t s, const Places& places, uint8_t* tile) {
  const int64_t W = attention_width(D), header = dtype == DType::kQ8_0 ? 2 : 0;
  for (int64_t d = 0; d < W; d += kPart) {
    uint8_t part[kPartBytes] = {};
    if (d < D) store(dtype, row + d, part, std::min(kPart, D - d));
    if (header > 0) std::memcpy(tile + place_of_scale(W, s, d), part, static_cast<size_t>(header));
    const int64_t count = std::min(kPart, W - d) / places.columns;
    uint8_t* out = tile + places.first + d / places.columns * places.stride;
    places.bytes == 4   ? scatter<4>(part + header, count, out, places.stride)
    : places.bytes == 2 ? scatter<2>(part + header, count, out, places.stride)
                        : scatter<1>(part + header, count, out, places.stride);
  }
}

void load_row(DType dtype, const uint8_t* tile, int64_t D, int64_t s, const Places& places, float* row) {
  const int64_t W = attention_width(D), header = dtype == DType::kQ8_0 ? 2 : 0;
  for (int64_t d = 0; d < D; d += kPart) {
    uint8_t part[kPartBytes];
    if (header > 0) std::memcpy(part, tile + place_of_scale(W, s, d), static_cast<size_t>(header));
    const int64_t count = std::min(kPart, W - d) / places.columns;
    const uint8_t* in = tile + places.first + d / places.columns * places.stride;
    places.bytes == 4   ? gather<4>(in, places.stride, count, part + header)
    : places.bytes == 2 ? gather<2>(in, places.stride, count, part + header)
                        : gather<1>(in, places.stride, count, part + header);
    quant::to_f32(dtype, part, row + d, std::min(kPart, D - d));
  }
}

}  // namespace

int64_t kv_tile_bytes(DType dtype, int64_t head_dim) { return kKeyTile * row_bytes(dtype, attention_width(head_dim)); }

void store_key(DType dtype, const float* key, int64_t D, int64_t s, uint8_t* tile) {
  store_row(dtype, key, D, s, places_of_key(dtype, s), tile);
}
void store_value(DType dtype, const float* value, int64_t D, int64_t s, uint8_t* tile) {
  store_row(dtype, value, D, s, places_of_value(dtype, attention_width(D), s), tile);
}
void load_key(DType dtype, const uint8_t* tile, int64_t D, int64_t s, float* key) {
  load_row(dtype, tile, D, s, places_of_key(dtype, s), key);
}
void load_value(DType dtype, const uint8_t* tile, int64_t D, int64_t s, float* value) {
  load_row(dtype, tile, D, s, places_of_value(dtype, attention_width(D), s), value);
}

void store_kv(const KvView& kv, int64_t num_kv_heads, int64_t head_dim, int64_t position, const float* k, const float* v, int64_t T) {
  const int64_t bytes = kv_tile_bytes(kv.dtype, head_dim), width = num_kv_heads * head_dim;
  parallel_for(T, std::max<int64_t>(1, kValuesPerThread / (2 * width)), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      uint8_t* tile = kv.pages[(position + t) / kKeyTile] + kv.offset;
      const int64_t s = (position + t) % kKeyTile;
      for (int64_t g = 0; g < num_kv_heads; ++g, tile += 2 * bytes) {
        store_key(kv.dtype, k + t * width + g * head_dim, head_dim, s, tile);
        store_value(kv.dtype, v + t * width + g * head_dim, head_dim, s, tile + bytes);
      }
    }
  });
}

void load_kv(const KvView& kv, int64_t kv_head, int64_t head_dim, int64_t position, float* key, float* value) {
  const int64_t bytes = kv_tile_bytes(kv.dtype, head_dim), s = position % kKeyTile;
  const uint8_t* tile = kv.pages[position / kKeyTile] + kv.offset + kv_head * 2 * bytes;
  load_key(kv.dtype, tile, head_dim, s, key);
  load_value(kv.dtype, tile + bytes, head_dim, s, value);
}

}  // namespace atelier::kernels
