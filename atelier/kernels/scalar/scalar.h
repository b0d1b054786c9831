// The scalar rung: plain loops that say what every other rung computes. Runs on any CPU; the reference of kernels_test.
#pragma once

#include "atelier/kernels/table.h"

namespace atelier::kernels::scalar {

extern const KernelTable kTable;

void linear_f32(const FloatRows& x, const OutputBlock& block, void* scratch);
void quantize_rows(const FloatRows& x, const QuantizedRows& out, int64_t row_begin, int64_t row_end);
void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch);
void widen_tile(DType dtype, const uint8_t* tile, int64_t begin, int64_t end, int64_t K, float* out, void* scratch);
void attention_f32(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
void attention_fold(const AttentionSums& part, int64_t num_queries, const AttentionSums& whole);
void attention_write(const AttentionShape& shape, const AttentionBlock& block, const AttentionSums& whole);
void rms_norm(const float* x, const float* weight, float eps, float* y, int64_t C);
void layer_norm(const float* x, const float* weight, const float* bias, float eps, float* y, int64_t C);
void activate(Activation activation, const float* x, float* y, int64_t count);
void gated_activate(Activation activation, const float* gate, const float* up, float* y, int64_t count);
void add(const float* a, const float* b, float* y, int64_t count);
void scale(const float* x, float factor, float* y, int64_t count);
void soft_cap(const float* x, float cap, float* y, int64_t count);
void rotary(float* x, int64_t num_heads, int64_t D, int64_t R, const float* cos, const float* sin, RotaryLayout layout);
void store_f16(const float* src, uint16_t* dst, int64_t count);
void store_q8_0(const float* src, uint8_t* dst, int64_t count);
void widen(DType dtype, const uint16_t* src, float* dst, int64_t count);
LogSumExp log_sum_exp(const float* x, int64_t count);
extern const MatmulKernels kMatmul;
void attention_backward_f32(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch);
void activate_backward(Activation activation, const float* x, const float* dy, float* dx, int64_t count);
void gated_activate_backward(Activation activation, const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                             int64_t count);
void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C);
void layer_norm_backward(const float* x, const float* weight, float eps, const float* dy, float* dx, float* statistics, int64_t C);
void norm_weight_backward(const float* x, const float* dy, const float* statistics, float* d_weight, float* d_bias, int64_t count);
void softmax_backward(const float* x, float log_sum, float factor, float* dx, int64_t count);
void add_scaled(const float* x, float factor, float* y, int64_t count);
void adam_update(float* w, const float* gradient, float* m, float* v, int64_t count, const AdamStep& step);
void momentum_update(float* w, const float* gradient, float* b, int64_t count, const MomentumStep& step);
void rmsprop_update(float* w, const float* gradient, float* v, int64_t count, const RmsPropStep& step);
void lion_update(float* w, const float* gradient, float* m, int64_t count, const LionStep& step);
void average_update(float* average, const float* w, int64_t count, float share);
double sum_of_squares(const float* x, int64_t count);
int64_t peak_f32(int64_t rounds, float* memory);
int64_t peak_int8(int64_t rounds, float* memory);

}  // namespace atelier::kernels::scalar
