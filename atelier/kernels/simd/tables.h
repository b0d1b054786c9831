// What the files of the SIMD rungs define, each compiled for its ISA: a whole table, or the functions that its rung does better.
// `over` puts these into the table of the rung below.
#pragma once

#include "atelier/kernels/simd/intrinsics.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

namespace ATELIER_ISA(avx2) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avxvnni) {
  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch);
  int64_t peak_int8(int64_t rounds, float* memory);
  inline KernelTable over(KernelTable table) {
    table.linear_int8 = linear_int8;
    table.peak_int8 = peak_int8;
    return table;
  }
}
namespace ATELIER_ISA(avx512) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avx512vnni) {
  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch);
  int64_t peak_int8(int64_t rounds, float* memory);
  inline KernelTable over(KernelTable table) {
    table.linear_int8 = linear_int8;
    table.peak_int8 = peak_int8;
    return table;
  }
}
namespace ATELIER_ISA(avx512bf16) {
  void linear_bf16(const Bf16Rows& x, const OutputBlock& block, void* scratch);
  void round_rows(const FloatRows& x, uint16_t* out, int64_t width, int64_t row_begin, int64_t row_end);
  void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
  int64_t peak_bf16(int64_t rounds, float* memory);
  extern const MatmulKernels kMatmul;
  void attention_backward_bf16(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch);
  inline KernelTable over(KernelTable table) {
    table.linear_bf16 = linear_bf16;
    table.attention_bf16 = attention_bf16;
    table.round_rows = round_rows;
    table.peak_bf16 = peak_bf16;
    table.matmul_bf16 = kMatmul;
    table.attention_backward_bf16 = attention_backward_bf16;
    return table;
  }
}
namespace ATELIER_ISA(avx512amx) {
  void linear_bf16(const Bf16Rows& x, const OutputBlock& block, void* scratch);
  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch);
  void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
  int64_t peak_bf16(int64_t rounds, float* memory);
  int64_t peak_int8(int64_t rounds, float* memory);
  extern const MatmulKernels kMatmul;
  inline KernelTable over(KernelTable table) {
    table.linear_bf16 = linear_bf16;
    table.linear_int8 = linear_int8;
    table.attention_bf16 = attention_bf16;
    table.peak_bf16 = peak_bf16;
    table.peak_int8 = peak_int8;
    table.matmul_bf16 = kMatmul;
    return table;
  }
}

}  // namespace atelier::kernels
