// Products of training from bfloat16 pairs.
#include "atelier/kernels/simd/attention_backward.h"
#include "atelier/kernels/simd/matmul.h"
#include "atelier/kernels/simd/simd_avx512bf16.h"
#include "atelier/kernels/simd/tables.h"

namespace atelier::kernels::ATELIER_ISA(avx512bf16) {

  struct TrainingRung;
  using TrainingSimd = Simd512Bf16<TrainingRung>;

  const MatmulKernels kMatmul = Matmul<TrainingSimd, ProductsBf16<TrainingSimd>>::kernels();
  void attention_backward_bf16(const AttentionShape& shape, const AttentionBackwardBlock& block, float* scratch) {
    AttentionBackwardKernel<TrainingSimd, ProductsBf16<TrainingSimd>>::run(shape, block, scratch);
  }

}  // namespace atelier::kernels::ATELIER_ISA(avx512bf16)
