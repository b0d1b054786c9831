// The table of one ISA from its vector type.
#pragma once

#include "atelier/kernels/simd/attention.h"
#include "atelier/kernels/simd/attention_backward.h"
#include "atelier/kernels/simd/elementwise.h"
#include "atelier/kernels/simd/gradients.h"
#include "atelier/kernels/simd/linear.h"
#include "atelier/kernels/simd/matmul.h"
#include "atelier/kernels/simd/peak.h"
#include "atelier/kernels/simd/rows.h"
#include "atelier/kernels/simd/update.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
constexpr KernelTable make_table() {
  return {
      .linear_f32 = LinearKernels<S>::linear_f32,
      .linear_bf16 = nullptr,
      .round_rows = nullptr,
      .quantize_rows = LinearKernels<S>::quantize_rows,
      .linear_int8 = LinearKernels<S>::linear_int8,
      .widen_tile = LinearKernels<S>::widen_tile,
      .attention_f32 = kernels::attention_f32<S>,
      .attention_bf16 = nullptr,
      .attention_fold = AttentionSpans<S>::fold,
      .attention_write = AttentionSpans<S>::write,
      .rms_norm = RowKernels<S>::rms_norm,
      .layer_norm = RowKernels<S>::layer_norm,
      .rotary = RowKernels<S>::rotary,
      .store_f16 = RowKernels<S>::store_f16,
      .store_q8_0 = RowKernels<S>::store_q8_0,
      .widen = LinearKernels<S>::widen,
      .activate = ElementwiseKernels<S>::activate,
      .gated_activate = ElementwiseKernels<S>::gated_activate,
      .add = ElementwiseKernels<S>::add,
      .scale = ElementwiseKernels<S>::scale,
      .soft_cap = ElementwiseKernels<S>::soft_cap,
      .log_sum_exp = ElementwiseKernels<S>::log_sum_exp,
      .matmul_f32 = Matmul<S, ProductsF32<S>>::kernels(),
      .matmul_bf16 = {},
      .attention_backward_f32 = AttentionBackwardKernel<S, ProductsF32<S>>::run,
      .attention_backward_bf16 = nullptr,
      .activate_backward = GradientKernels<S>::activate_backward,
      .gated_activate_backward = GradientKernels<S>::gated_activate_backward,
      .rms_norm_backward = GradientKernels<S>::rms_norm_backward,
      .layer_norm_backward = GradientKernels<S>::layer_norm_backward,
      .norm_weight_backward = GradientKernels<S>::norm_weight_backward,
      .softmax_backward = GradientKernels<S>::softmax_backward,
      .add_scaled = GradientKernels<S>::add_scaled,
      .adam_update = UpdateKernels<S>::adam_update,
      .momentum_update = UpdateKernels<S>::momentum_update,
      .rmsprop_update = UpdateKernels<S>::rmsprop_update,
      .lion_update = UpdateKernels<S>::lion_update,
      .average_update = UpdateKernels<S>::average_update,
      .sum_of_squares = UpdateKernels<S>::sum_of_squares,
      .peak_f32 = PeakKernels<S>::f32,
      .peak_bf16 = nullptr,
      .peak_int8 = PeakKernels<S>::int8,
  };
}

}  // namespace atelier::kernels
