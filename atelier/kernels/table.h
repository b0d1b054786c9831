// The primitives that one instruction set provides, as a table of functions: one table per ISA (docs/adr/0004).
//
// A primitive works on the calling thread, on a few rows or a block of outputs; the drivers (linear.cc, attention.cc, ...) split the
// work over the team and call through `active()` of dispatch.h. The scalar table is the reference that the tests hold the others to.
//
// Files compiled for one ISA include this header and call nothing inline from what it includes: the linker keeps one copy of an
// inline function, and it might keep the one that was compiled with AVX-512.
#pragma once

#include <cstdint>

#include "atelier/base/dtype.h"
#include "atelier/kernels/kernels.h"
#include "atelier/kernels/update.h"

namespace atelier::kernels {

inline constexpr int64_t kQuantBlock = 32;        // activations that share a scale
inline constexpr float kSmallestScaled = 1e-35f;  // a block whose values are all smaller is zero: 127 / amax must stay finite

// T rows of K activations.
struct FloatRows {
  const float* x = nullptr;
  int64_t ldx = 0;
  int64_t T = 0;
  int64_t K = 0;
};

// The same rows as int8: x[t, k] ~ scale[t, k / 32] * q[t, k], q in [-127, 127]. Sums of q take off the zero of weights that have one in
// whole numbers, offsets serve those that have a min.
struct QuantizedRows {
  int8_t* q = nullptr;        // [T, K]
  float* scale = nullptr;     // [T, K / 32]
  int32_t* sum32 = nullptr;   // [T, K / 32]  sum of the block's q
  int32_t* sum16 = nullptr;   // [T, K / 16]  sum of the half block's q
  float* offset32 = nullptr;  // [T, K / 32]  scale * sum32
  float* offset16 = nullptr;  // [T, K / 16]  scale * sum16
  int64_t T = 0;
  int64_t K = 0;
};

// The same rows rounded to bfloat16, with zeros up to `width`, a multiple of kBf16Width.
struct Bf16Rows {
  const uint16_t* x = nullptr;  // [T, width]
  int64_t width = 0;
  int64_t T = 0;
  int64_t K = 0;
};
inline constexpr int64_t kBf16Width = 32;

// The width of rows of K inputs. Rows a multiple of 4 KiB apart would meet in one set of the L1 cache; they get a line more.
inline constexpr int64_t bf16_width(int64_t K) {
  const int64_t width = (K + kBf16Width - 1) / kBf16Width * kBf16Width;
  return width % 2048 == 0 ? width + kBf16Width : width;
}

// Consecutive outputs of one linear: y[t, n] = x[t, :] . w[n, :] + bias[n].
struct OutputBlock {
  DType dtype = DType::kF32;
  const uint8_t* w = nullptr;  // row 0 of the block; block types: its tile (quant/tiles.h), and row 0 is the tile's first
  int64_t row_bytes = 0;
  int64_t N = 0;
  const float* bias = nullptr;  // [N] or null
  float* y = nullptr;           // [T, N], row stride ldy
  int64_t ldy = 0;
};

// Query rows of one run with the heads that share one kv head.
struct AttentionBlock {
  const float* q = nullptr;  // [rows, heads, D], row stride ldq
  int64_t ldq = 0;
  float* out = nullptr;  // [rows, heads, D], row stride ldo
  int64_t ldo = 0;
  float* log_sums = nullptr;  // [rows, heads], row stride ld_log_sums, or null
  int64_t ld_log_sums = 0;
  int64_t num_rows = 0;
  int64_t num_heads = 0;       // H / G
  int64_t first_position = 0;  // of row 0
  int64_t prefix = 0;          // every row sees keys 0..prefix-1
  DType dtype = DType::kF32;   // of keys and values
  const uint8_t* const* pages = nullptr;
  int64_t offset = 0;                    // of this kv head in a page: its tile of keys, then that of values (kernels/kv_tile.h); bytes
  int64_t tile_bytes = 0;                // of either
  const float* alibi_slopes = nullptr;   // [heads] or null
  const float* relative_bias = nullptr;  // [heads, 2 * reach + 1] or null
};

// Running sums of the queries of a block, one for each head of each row: m, l and o of the online softmax.
struct AttentionSums {
  float* values = nullptr;   // [queries, width] o: weighted values; zeros beyond D
  float* largest = nullptr;  // [queries] m: the largest score times log2(e), -infinity before any
  float* totals = nullptr;   // [queries] l: the sum of the weights, 0 before any
  int64_t width = 0;         // attention_width(D)
};

// Floats of scratch that attention_* of any ISA may use for a block of `queries`.
inline constexpr int64_t attention_scratch_floats(int64_t D, int64_t queries) {
  return (2 * kKeyTile + queries + 3 * 24) * attention_width(D) + 2 * 24 * kKeyTile + 64 + queries;
}

// The products of training (kernels/matmul.h). A word is 32 bits: a float32, or two consecutive inputs of a sum as bfloat16. Left operands
// are rows of words [M, words]; right operands are panels of kPanelColumns columns [words, kPanelColumns], filled up with zeros.
inline constexpr int64_t kPanelColumns = 64;

// One kind of products. Sources are float32 [inputs, columns], row stride ldx: rows are the inputs of a sum.
struct MatmulKernels {
  int64_t inputs_per_word = 1;
  // The source as panels, panel p at out + p * panel_stride.
  void (*pack_panels)(const float* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t panel_stride) = nullptr;
  // The source turned: column n becomes row n of words, at out + n * ldo.
  void (*pack_turned)(const float* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t ldo) = nullptr;
  // Rows [rows, inputs] of a source whose inputs are consecutive, as rows of words at out + r * ldo.
  void (*pack_rows)(const float* x, int64_t ldx, int64_t rows, int64_t inputs, float* out, int64_t ldo) = nullptr;
  // c[m, n] (+)= sum over words of a[m, word] b[word, n], for M rows and N <= kPanelColumns columns of one panel, whose rows of
  // kPanelColumns words are ldb apart.
  void (*multiply)(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t words, int64_t M, int64_t N, float* c, int64_t ldc,
                   bool adds) = nullptr;
  // pack_panels of a bfloat16 source; null where words are float32.
  void (*pack_panels_bf16)(const uint16_t* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t panel_stride) = nullptr;
};

// The queries, keys and values of one run for one kv head, for the backward pass of attention. `scratch` holds
// attention_backward_floats(D, rows, heads).
struct AttentionBackwardBlock {
  const float* q = nullptr;  // [rows, heads, D], row stride ldq; of d_out and dq too
  const float* d_out = nullptr;
  float* dq = nullptr;
  int64_t ldq = 0;
  const float* k = nullptr;  // [rows, D], row stride ldk; of v, dk and dv too
  const float* v = nullptr;
  float* dk = nullptr;
  float* dv = nullptr;
  int64_t ldk = 0;
  const float* log_sums = nullptr;  // [rows, heads] of attention(), row stride ld_sums
  const float* deltas = nullptr;    // [rows, heads] sum_d d_out[d] out[d], row stride ld_sums
  int64_t ld_sums = 0;
  int64_t num_rows = 0;
  int64_t num_keys = 0;   // as many as rows, or those of another sequence, all of them in the prefix
  int64_t num_heads = 0;  // H / G
  int64_t prefix = 0;     // every query sees keys 0..prefix-1
  const float* alibi_slopes = nullptr;
  const float* relative_bias = nullptr;  // [heads, 2 * reach + 1]
  float* d_relative_bias = nullptr;      // the same, added to; or null
};
inline constexpr int64_t attention_backward_floats(int64_t D, int64_t rows, int64_t heads) {
  const int64_t width = (D + 31) / 32 * 32;
  return (rows + 2 * kKeyTile) * heads * width + 12 * kKeyTile * width + 5 * kKeyTile * kKeyTile;
}

struct KernelTable {
  // y of `block` from float32 products; `scratch` holds linear_scratch_bytes(K).
  void (*linear_f32)(const FloatRows& x, const OutputBlock& block, void* scratch);
  // The same from bfloat16 products, for bfloat16 weights and for float32 ones, which are rounded; and rows [row_begin, row_end) of x
  // rounded for it. Null where the ISA has no such dot product.
  void (*linear_bf16)(const Bf16Rows& x, const OutputBlock& block, void* scratch);
  void (*round_rows)(const FloatRows& x, uint16_t* out, int64_t width, int64_t row_begin, int64_t row_end);
  // Fills x[row_begin, row_end) of `out` (T and K are set).
  void (*quantize_rows)(const FloatRows& x, const QuantizedRows& out, int64_t row_begin, int64_t row_end);
  // y of `block` from integer products, for quantized weights.
  void (*linear_int8)(const QuantizedRows& x, const OutputBlock& block, void* scratch);

  // Rows [begin, end) of a tile of a block type (quant/tiles.h) as float32 [end - begin, K]; `scratch` holds linear_scratch_bytes(K).
  void (*widen_tile)(DType dtype, const uint8_t* tile, int64_t begin, int64_t end, int64_t K, float* out, void* scratch);

  // The sums of a block over keys [span, span + 1) * kKeySpan, from float32 products.
  void (*attention_f32)(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
  // The same from bfloat16 products; null where the ISA has no such dot product.
  void (*attention_bf16)(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
  // Adds the sums of a later span to those of the spans before it.
  void (*attention_fold)(const AttentionSums& part, int64_t num_queries, const AttentionSums& whole);
  // out = o / l.
  void (*attention_write)(const AttentionShape& shape, const AttentionBlock& block, const AttentionSums& whole);

  void (*rms_norm)(const float* x, const float* weight, float eps, float* y, int64_t C);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, float* y, int64_t C);
  // One row of heads; cos and sin are those of its position, [R / 2].
  void (*rotary)(float* x, int64_t num_heads, int64_t D, int64_t R, const float* cos, const float* sin, RotaryLayout layout);
  // Rows of the KV cache.
  void (*store_f16)(const float* src, uint16_t* dst, int64_t count);
  void (*store_q8_0)(const float* src, uint8_t* dst, int64_t count);
  void (*widen)(DType dtype, const uint16_t* src, float* dst, int64_t count);  // of kF16 or kBF16

  void (*activate)(Activation activation, const float* x, float* y, int64_t count);
  void (*gated_activate)(Activation activation, const float* gate, const float* up, float* y, int64_t count);
  void (*add)(const float* a, const float* b, float* y, int64_t count);
  void (*scale)(const float* x, float factor, float* y, int64_t count);
  void (*soft_cap)(const float* x, float cap, float* y, int64_t count);
  LogSumExp (*log_sum_exp)(const float* x, int64_t count);

  // Training. Derivatives with respect to inputs, from those with respect to outputs (docs/adr/0014).
  MatmulKernels matmul_f32;
  MatmulKernels matmul_bf16;  // multiply is null where the ISA has no such dot product
  void (*attention_backward_f32)(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch);
  void (*attention_backward_bf16)(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch);  // or null
  void (*activate_backward)(Activation activation, const float* x, const float* dy, float* dx, int64_t count);
  void (*gated_activate_backward)(Activation activation, const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                                  int64_t count);
  // One row; `statistics` receives the mean (0 for rms_norm) and the inverse deviation.
  void (*rms_norm_backward)(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C);
  void (*layer_norm_backward)(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C);
  // Columns of one row: d_weight += dy (x - mean) inverse, d_bias += dy.
  void (*norm_weight_backward)(const float* x, const float* dy, const float* statistics, float* d_weight, float* d_bias, int64_t count);
  // dx = factor exp(x - log_sum)
  void (*softmax_backward)(const float* x, float log_sum, float factor, float* dx, int64_t count);
  void (*add_scaled)(const float* x, float factor, float* y, int64_t count);  // y += factor x
  // Optimizers (kernels/update.h).
  void (*adam_update)(float* w, const float* gradient, float* m, float* v, int64_t count, const AdamStep& step);
  void (*momentum_update)(float* w, const float* gradient, float* b, int64_t count, const MomentumStep& step);
  void (*rmsprop_update)(float* w, const float* gradient, float* v, int64_t count, const RmsPropStep& step);
  void (*lion_update)(float* w, const float* gradient, float* m, int64_t count, const LionStep& step);
  void (*average_update)(float* average, const float* w, int64_t count, float share);
  double (*sum_of_squares)(const float* x, int64_t count);

  // The fastest products of this ISA, on registers: how many operations `rounds` rounds were. `memory` holds kPeakFloats ordinary floats,
  // read and written. peak_bf16 is null where linear_bf16 is.
  int64_t (*peak_f32)(int64_t rounds, float* memory);
  int64_t (*peak_bf16)(int64_t rounds, float* memory);
  int64_t (*peak_int8)(int64_t rounds, float* memory);
};

inline constexpr int64_t kPeakFloats = 16;

// Inputs of block types that integer products decode at a time: two panels of them just fit the L1 cache.
inline constexpr int64_t kInt8Chunk = 768;

// Bytes of scratch that linear_* of any ISA may use: sixteen rows of K weights, decoded, with their scales, and a chunk of two panels.
inline constexpr int64_t linear_scratch_bytes(int64_t K) { return 16 * K * 8 + 2 * 16 * kInt8Chunk * 2 + 4096; }

}  // namespace atelier::kernels
