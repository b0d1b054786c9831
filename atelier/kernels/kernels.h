// Arithmetic on raw pointers: what every model is computed with. Knows no Tensor.
//
// Fixed order of sums (docs/adr/0005): the bits of an output row depend only on that row's input, the weights and the ISA: never on
// the number of rows, their place in the batch, the chunking of a prompt, or the number of threads. Each sum over K has one fixed
// lane structure shared by all row counts; attention walks key tiles fixed by absolute position, in ascending order.
//
// Shape letters: T rows (tokens), C model width, N outputs of a linear, K inputs of a linear, H heads, G kv heads, D head width.
// Arrays are row-major; `ld*` is a row stride in elements. Functions run on the thread team of parallel/ and are called by one
// owner thread. Preconditions are the caller's duty (ops/ checks them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "atelier/base/dtype.h"

namespace atelier::kernels {

// How products are formed. Accumulation is always float32.
enum class Compute : uint8_t {
  kF32,   // float32 activations; weights of any type are widened to float32 exactly
  kBF16,  // activations rounded to bfloat16, and float32 weights too, where the ISA has the dot product; else and for other types as kF32
  kInt8,  // activations quantized to int8 per 32 values with a float32 scale; only for quantized weights, else the same as kF32
};

// One linear of a group that shares its input: y[t, n] = sum_k x[t, k] * w[n, k] + bias[n].
struct Linear {
  DType dtype = DType::kF32;    // of w
  const void* w = nullptr;      // [N, K]: float types row-major, rows of row_bytes(dtype, K) bytes; block types as tiles (quant/tiles.h)
  int64_t num_outputs = 0;      // N
  const float* bias = nullptr;  // [N] or null
  float* y = nullptr;           // [T, N], row stride ldy
  int64_t ldy = 0;
  bool adds = false;  // y += in place of y =, with the bits of an addition afterwards: a residual
};

enum class Activation : uint8_t { kNone, kRelu, kGelu, kGeluTanh, kSilu, kTanh };

// What the linears of a group multiply: rows [T, K] as they lie in memory, or rows that are computed while they are made ready for the
// products (rounded, quantized), with the bits of the function of that name, and never pass through memory on their own.
struct LinearInput {
  enum class Kind : uint8_t { kRows, kRmsNorm, kLayerNorm, kActivate, kGatedActivate };
  const float* x = nullptr;  // [T, K], row stride ldx: the rows, what is normalised, or the gate
  int64_t ldx = 0;
  Kind kind = Kind::kRows;
  const float* weight = nullptr;  // [K] of a norm
  const float* bias = nullptr;    // [K] of a layer norm, or null
  float eps = 0;                  // of a norm
  Activation activation = Activation::kNone;
  const float* up = nullptr;  // [T, K] of a gated activation, row stride ldx
};

// Computes every linear of the group on T rows of K inputs. Outputs must not overlap each other or the input.
void linear(std::span<const Linear> group, const LinearInput& input, int64_t T, int64_t K, Compute compute);

// y[t, c] = x[t, c] / sqrt(mean_c(x^2) + eps) * weight[c]                          (Zhang & Sennrich 2019). y may be x.
void rms_norm(const float* x, int64_t ldx, const float* weight, float eps, float* y, int64_t ldy, int64_t T, int64_t C);

// y[t, c] = (x[t, c] - mean) / sqrt(var + eps) * weight[c] + bias[c]; bias may be null   (Ba et al. 2016). y may be x.
void layer_norm(const float* x, int64_t ldx, const float* weight, const float* bias, float eps, float* y, int64_t ldy, int64_t T,
                int64_t C);

void activate(Activation activation, const float* x, float* y, int64_t count);                            // y may be x
void gated_activate(Activation activation, const float* gate, const float* up, float* y, int64_t count);  // y = f(gate) * up
void add(const float* a, const float* b, float* y, int64_t count);                                        // y may be a or b
void scale(const float* x, float factor, float* y, int64_t count);                                        // y may be x
void soft_cap(const float* x, float cap, float* y, int64_t count);                                        // y = cap * tanh(x / cap)

enum class RotaryLayout : uint8_t {
  kHalves,       // pairs (i, i + R/2): GPT-NeoX, Hugging Face
  kInterleaved,  // pairs (2i, 2i + 1): the original Llama, GGUF's "llama" architecture
};

// Rotates the first R of each head's D values in place: x is [T, num_heads, D] with row stride ldx. cos and sin hold R/2 values per
// row: cos[position[t] * R/2 + i].                                                        (Su et al. 2021, arXiv:2104.09864)
void rotary(float* x, int64_t ldx, int64_t T, int64_t num_heads, int64_t D, int64_t R, const int32_t* position, const float* cos,
            const float* sin, RotaryLayout layout);

// Keys and values of one sequence in one layer. Page i holds what tokens 64 i .. 64 i + 63 have in all layers, wherever it lies in
// memory. In it, this layer has [G][keys, values] tiles (kernels/kv_tile.h) from `offset` on: what attention reads for a head is one piece.
inline constexpr int64_t kKeyTile = 64;  // tokens of a page
// Columns of a row of keys or values in a tile and in the sums of attention: D, filled up.
inline constexpr int64_t attention_width(int64_t D) { return (D + 15) / 16 * 16; }
struct KvView {
  DType dtype = DType::kF16;        // kF32, kF16 or kQ8_0 (then D is a multiple of 32)
  uint8_t* const* pages = nullptr;  // those of every token that is read or written
  int64_t offset = 0;               // bytes
};

// Stores keys and values of T tokens from `position` on: k and v are float32 [T, G, D].
void store_kv(const KvView& kv, int64_t num_kv_heads, int64_t head_dim, int64_t position, const float* k, const float* v, int64_t T);

// A run of consecutive query rows of one sequence.
struct AttentionRun {
  int64_t first_row = 0;  // in q and out
  int64_t num_rows = 0;
  int64_t first_position = 0;  // of the first row; the row at position p sees keys 0..p, already stored in `kv`
  KvView kv;
  int64_t prefix = 0;  // keys 0..prefix-1 are stored too, and every row sees them: 0 causal, the whole length bidirectional
};

// Rows that see all `num_keys` keys of another sequence and no others: they stand before its first key.
inline AttentionRun cross_run(int64_t first_row, int64_t num_rows, const KvView& kv, int64_t num_keys) {
  return {first_row, num_rows, -num_rows, kv, num_keys};
}

struct AttentionShape {
  int64_t num_heads = 0;                // H
  int64_t num_kv_heads = 0;             // G; H is a multiple of G
  int64_t head_dim = 0;                 // D
  float scale = 1;                      // of q.k
  float soft_cap = 0;                   // cap * tanh(score / cap) when positive
  int64_t window = 0;                   // a row sees at most this many latest keys, itself included; 0: all
  const float* alibi_slopes = nullptr;  // [H]: adds slope * (key position - query position); null: none
  // [H, 2 * reach + 1]: adds relative_bias[h, reach + clamp(key position - query position, -reach, reach)]; null: none
  const float* relative_bias = nullptr;
  int64_t reach = 0;
};

// out[t, h, :] = softmax_s(scale * q[t, h, :] . k[s, g, :]) v[s, g, :], g = h / (H / G). q, out: [T, H, D] with row strides ldq, ldo.
// Online softmax over tiles of kKeyTile keys, one a page (Dao et al. 2022, arXiv:2205.14135). Spans of kKeySpan keys, at fixed absolute
// positions too, have sums of their own, which are joined in ascending order: so that several threads can work on one query.
// Compute::kBF16, where the ISA has the dot product: q, k, v and the softmax's weights are rounded to bfloat16; infinity and NaN of kF16
// become numbers of about 2^16. With kQ8_0 products are of int16, q and weights rounded to 15 bits. Else, and for any other Compute,
// products are of float32.
inline constexpr int64_t kKeySpan = 8 * kKeyTile;
// log_sums, if any, receives log2(sum_s exp(score_s)) of every query, [T, H]: what attention_backward starts from.
void attention(const AttentionShape& shape, std::span<const AttentionRun> runs, const float* q, int64_t ldq, float* out, int64_t ldo,
               Compute compute, float* log_sums = nullptr);

// `count` float32 values into a KV cache row of `dtype` (kF32, kF16, kBF16, kQ8_0), and one row of any type back to float32.
void store(DType dtype, const float* src, void* dst, int64_t count);
void load(DType dtype, const void* src, float* dst, int64_t count);

// Row-wise log-softmax statistics in double: max and log(sum(exp(x - max))) of `count` values.
struct LogSumExp {
  double max;
  double log_sum;  // log of the sum of exp(x - max); log-probability of i is x[i] - max - log_sum
};
LogSumExp log_sum_exp(const float* x, int64_t count);

}  // namespace atelier::kernels
