#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {

const KernelTable kTable = {
    .linear_f32 = linear_f32,
    .linear_bf16 = nullptr,
    .quantize_rows = quantize_rows,
    .linear_int8 = linear_int8,
    .attention = attention,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .activate = activate,
    .gated_activate = gated_activate,
    .add = add,
    .scale = scale,
    .soft_cap = soft_cap,
    .rotary = rotary,
    .store = store,
    .load = load,
    .log_sum_exp = log_sum_exp,
};

}  // namespace atelier::kernels::scalar
