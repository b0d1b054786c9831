// The products of training, words being floats.
#include "atelier/kernels/scalar/scalar.h"

namespace atelier::kernels::scalar {
namespace {

void pack_panels(const float* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t panel_stride) {
  const int64_t width = (columns + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
  for (int64_t k = 0; k < inputs; ++k) {
    for (int64_t n = 0; n < width; ++n) {
      out[n / kPanelColumns * panel_stride + k * kPanelColumns + n % kPanelColumns] = n < columns ? x[k * ldx + n] : 0.0f;
    }
  }
}

void pack_turned(const float* x, int64_t ldx, int64_t inputs, int64_t columns, float* out, int64_t ldo) {
  for (int64_t n = 0; n < columns; ++n) {
    for (int64_t k = 0; k < inputs; ++k) out[n * ldo + k] = x[k * ldx + n];
  }
}

void pack_rows(const float* x, int64_t ldx, int64_t rows, int64_t inputs, float* out, int64_t ldo) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < inputs; ++k) out[r * ldo + k] = x[r * ldx + k];
  }
}

void multiply(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t words, int64_t M, int64_t N, float* c, int64_t ldc,
              bool adds) {
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      float sum = 0;
      for (int64_t w = 0; w < words; ++w) sum += a[m * lda + w] * b[w * ldb + n];
      c[m * ldc + n] = adds ? c[m * ldc + n] + sum : sum;
    }
  }
}

}  // namespace

const MatmulKernels kMatmul = {1, pack_panels, pack_turned, pack_rows, multiply};

}  // namespace atelier::kernels::scalar
