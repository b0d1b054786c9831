// Linear layers: y[t, n] = x[t, :] . w[n, :] + bias[n], one weight row widened at a time.
#include <algorithm>
#include <cmath>

#include "atelier/kernels/scalar/scalar.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace atelier::kernels::scalar {
namespace {

constexpr int kLanes = 8;  // partial sums of a dot product

float sum_lanes(const float* lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

float dot(const float* a, const float* b, int64_t count) {
  float lanes[kLanes] = {};
  int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    for (int i = 0; i < kLanes; ++i) lanes[i] += a[k + i] * b[k + i];
  }
  for (int i = 0; k < count; ++k, ++i) lanes[i] += a[k] * b[k];
  return sum_lanes(lanes);
}

// Of int8 activations (one block) with float weights.
float dot(const int8_t* q, const float* w) {
  float lanes[kLanes] = {};
  for (int k = 0; k < kQuantBlock; k += kLanes) {
    for (int i = 0; i < kLanes; ++i) lanes[i] += static_cast<float>(q[k + i]) * w[k + i];
  }
  return sum_lanes(lanes);
}

// Row n of the block's weights as floats at `w`; the block types' row is put together behind them. `is_rounded`: as integer products read
// it.
void widen_row(const OutputBlock& block, int64_t n, int64_t K, bool is_rounded, float* w) {
  if (!is_quantized(block.dtype)) return quant::to_f32(block.dtype, block.w + n * block.row_bytes, w, K);
  uint8_t* row = reinterpret_cast<uint8_t*>(w + K);
  quant::unpack_tile_row(block.dtype, block.w, n, K, row);
  const quant::BlockFormat& format = quant::block_format(block.dtype);
  const auto unpack = is_rounded && format.unpack_rounded != nullptr ? format.unpack_rounded : format.unpack;
  unpack(row, w, K / dtype_info(block.dtype).block_size);
}

}  // namespace

void widen_tile(DType dtype, const uint8_t* tile, int64_t begin, int64_t end, int64_t K, float* out, void* scratch) {
  auto* row = static_cast<uint8_t*>(scratch);
  for (int64_t n = begin; n < end; ++n) {
    quant::unpack_tile_row(dtype, tile, n, K, row);
    quant::to_f32(dtype, row, out + (n - begin) * K, K);
  }
}

void linear_f32(const FloatRows& x, const OutputBlock& block, void* scratch) {
  float* w = static_cast<float*>(scratch);
  for (int64_t n = 0; n < block.N; ++n) {
    widen_row(block, n, x.K, false, w);
    const float bias = block.bias ? block.bias[n] : 0.0f;
    for (int64_t t = 0; t < x.T; ++t) block.y[t * block.ldy + n] = dot(x.x + t * x.ldx, w, x.K) + bias;
  }
}

void quantize_rows(const FloatRows& x, const QuantizedRows& out, int64_t row_begin, int64_t row_end) {
  const int64_t blocks = x.K / kQuantBlock;
  for (int64_t i = row_begin * blocks; i < row_end * blocks; ++i) {
    const float* src = x.x + i / blocks * x.ldx + i % blocks * kQuantBlock;
    int8_t* q = out.q + i * kQuantBlock;
    float largest = 0;
    for (int k = 0; k < kQuantBlock; ++k) {
      const float magnitude = std::abs(src[k]);
      if (std::isnan(magnitude) || magnitude > largest) largest = magnitude;  // once NaN, always NaN
    }
    const float inverse = largest > kSmallestScaled ? 127.0f / largest : 0.0f;
    int sums[2] = {};
    for (int k = 0; k < kQuantBlock; ++k) {
      const float scaled = std::nearbyint(src[k] * inverse);
      q[k] = static_cast<int8_t>(scaled >= -127 && scaled <= 127 ? scaled : 0);
      sums[k / 16] += q[k];
    }
    out.scale[i] = largest / 127.0f;
    for (int half = 0; half < 2; ++half) {
      out.sum16[2 * i + half] = sums[half];
      out.offset16[2 * i + half] = out.scale[i] * static_cast<float>(sums[half]);
    }
    out.sum32[i] = sums[0] + sums[1];
    out.offset32[i] = out.scale[i] * static_cast<float>(sums[0] + sums[1]);
  }
}

void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) {
  float* w = static_cast<float*>(scratch);
  const int64_t blocks = x.K / kQuantBlock;
  for (int64_t n = 0; n < block.N; ++n) {
    widen_row(block, n, x.K, true, w);
    const float bias = block.bias ? block.bias[n] : 0.0f;
    for (int64_t t = 0; t < x.T; ++t) {
      float sum = 0;
      for (int64_t b = 0; b < blocks; ++b) {
        sum += x.scale[t * blocks + b] * dot(x.q + t * x.K + b * kQuantBlock, w + b * kQuantBlock);
      }
      block.y[t * block.ldy + n] = sum + bias;
    }
  }
}

}  // namespace atelier::kernels::scalar
