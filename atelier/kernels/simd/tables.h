// What the files of the SIMD rungs define, each compiled for its ISA: a whole table, or the functions that its rung does better.
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
}
namespace ATELIER_ISA(avx512) {
  extern const KernelTable kTable;
}
namespace ATELIER_ISA(avx512vnni) {
  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch);
  int64_t peak_int8(int64_t rounds, float* memory);
}
namespace ATELIER_ISA(avx512bf16) {
  void linear_bf16(const Bf16Rows& x, const OutputBlock& block, void* scratch);
  void round_rows(const FloatRows& x, uint16_t* out, int64_t width, int64_t row_begin, int64_t row_end);
  void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
  int64_t peak_bf16(int64_t rounds, float* memory);
  extern const MatmulKernels kMatmul;
  void attention_backward_bf16(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch);
}
namespace ATELIER_ISA(avx512amx) {
  void linear_bf16(const Bf16Rows& x, const OutputBlock& block, void* scratch);
  void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch);
  void attention_bf16(const AttentionShape& shape, const AttentionBlock& block, int64_t span, const AttentionSums& sums, float* scratch);
  int64_t peak_bf16(int64_t rounds, float* memory);
  int64_t peak_int8(int64_t rounds, float* memory);
  extern const MatmulKernels kMatmul;
}

}  // namespace atelier::kernels
