// The backward halves of kernels.h: derivatives of a loss with respect to inputs, from those with respect to outputs.
//
// dy stands for d(loss)/dy. Sums over rows run in a fixed order; nothing depends on the number of threads. Shape letters as in kernels.h.
#pragma once

#include <cstdint>
#include <span>

#include "atelier/kernels/kernels.h"

namespace atelier::kernels {

// One linear of a group that shares its input, y = x W^T + b, x [T, K], on the way back.
struct LinearGradient {
  DType dtype = DType::kF32;  // of w
  const void* w = nullptr;    // [N, K] of any weight type, block types in tiles; read for dx only
  int64_t N = 0;
  const float* dy = nullptr;  // [T, N], row stride lddy
  int64_t lddy = 0;
  float* dw = nullptr;  // [N, K]; written for dw only
  bool adds = false;    // to what dw is
};

// Products of the walk back. Compute::kBF16: both operands rounded to bfloat16 where the ISA has the dot product, sums float32; else
// products of float32.
//   dx[t, k] (+)= sum_n dy[t, n] W[n, k], over all outputs of the group
void linear_backward_input(std::span<const LinearGradient> group, int64_t T, int64_t K, float* dx, int64_t lddx, bool adds,
                           Compute compute);

//   dw[n, k] (+)= sum_t dy[t, n] x[t, k]
void linear_backward_weight(std::span<const LinearGradient> group, const LinearInput& x, int64_t T, int64_t K, Compute compute);

//   db[n] += sum_t dy[t, n]
void linear_backward_bias(const float* dy, int64_t lddy, int64_t T, int64_t N, float* db);

void activate_backward(Activation activation, const float* x, const float* dy, float* dx, int64_t count);
void gated_activate_backward(Activation activation, const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                             int64_t count);

// dx is written (where it is not null: then only weights learn); d_weight and d_bias, where not null, are added to.
struct NormGradients {
  float* dx = nullptr;        // [T, C]
  float* d_weight = nullptr;  // [C]
  float* d_bias = nullptr;    // [C], layer_norm only
};
void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, int64_t T, int64_t C, const NormGradients& out);
void layer_norm_backward(const float* x, const float* weight, float eps, const float* dy, int64_t T, int64_t C, const NormGradients& out);

// The rotation by the opposite angles, in place: dx from dy.
void rotary_backward(float* dx, int64_t ldx, int64_t T, int64_t num_heads, int64_t D, int64_t R, const int32_t* position, const float* cos,
                     const float* sin, RotaryLayout layout);

// Rows of one document: positions 0 .. num_rows - 1, keys and values those of the rows themselves or of another sequence.
struct DocumentRows {
  int64_t first_row = 0;
  int64_t num_rows = 0;
  int64_t prefix = 0;     // every row sees rows 0..prefix-1, and those up to itself
  int64_t first_key = 0;  // of another sequence, whose keys are all seen, and nothing else is
  int64_t num_keys = 0;   // of another sequence; 0: the keys are those of the rows

  bool is_cross() const { return num_keys > 0; }
  int64_t key_row() const { return is_cross() ? first_key : first_row; }
  int64_t key_count() const { return is_cross() ? num_keys : num_rows; }
};

// What attention() of the documents read and wrote. q, out, d_out, dq [T, H, D] contiguous; k, v, dk, dv [S, G, D] contiguous;
// log_sums [T, H]. dq, dk and dv are written, and so is d_relative_bias [H, 2 * reach + 1] where the shape has a bias and it is not null.
//                                                                                         (Dao 2023, arXiv:2307.08691)
struct AttentionGradient {
  const float *q, *k, *v, *out, *d_out, *log_sums;
  float *dq, *dk, *dv;
  float* d_relative_bias = nullptr;
};
void attention_backward(const AttentionShape& shape, std::span<const DocumentRows> documents, const AttentionGradient& gradient,
                        Compute compute);

// Rows of logits become d(loss)/d(logits) of the cross-entropy with `labels`, times `weight`; the sum of the losses, unweighted, in row
// order.
//   loss[t] = log(sum_v exp(x[t, v])) - x[t, labels[t]]       dx[t, v] = weight (softmax(x[t])[v] - [v == labels[t]])
// With a soft cap x = cap tanh(z / cap) are capped logits and the derivative is that with respect to z. is_loss_only: x is left alone.
double cross_entropy_backward(float* x, int64_t T, int64_t V, const int32_t* labels, float weight, float soft_cap, bool is_loss_only);

// y += factor x
void add_scaled(const float* x, float factor, float* y, int64_t count);

}  // namespace atelier::kernels
