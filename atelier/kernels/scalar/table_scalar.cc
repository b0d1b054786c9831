#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {

const KernelTable kTable = {
    .linear_f32 = linear_f32,
    .linear_bf16 = nullptr,
    .round_rows = nullptr,
    .quantize_rows = quantize_rows,
    .linear_int8 = linear_int8,
    .attention_f32 = attention_f32,
    .attention_bf16 = nullptr,
    .attention_fold = attention_fold,
    .attention_write = attention_write,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rotary = rotary,
    .store_f16 = store_f16,
    .store_q8_0 = store_q8_0,
    .widen = widen,
    .activate = activate,
    .gated_activate = gated_activate,
    .add = add,
    .scale = scale,
    .soft_cap = soft_cap,
    .log_sum_exp = log_sum_exp,
    .matmul_f32 = kMatmul,
    .matmul_bf16 = {},
    .attention_backward_f32 = attention_backward_f32,
    .attention_backward_bf16 = nullptr,
    .activate_backward = activate_backward,
    .gated_activate_backward = gated_activate_backward,
    .rms_norm_backward = rms_norm_backward,
    .layer_norm_backward = layer_norm_backward,
    .norm_weight_backward = norm_weight_backward,
    .softmax_backward = softmax_backward,
    .add_scaled = add_scaled,
    .peak_f32 = peak_f32,
    .peak_bf16 = nullptr,
    .peak_int8 = peak_int8,
};

}  // namespace atelier::kernels::scalar
