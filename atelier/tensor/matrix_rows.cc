#include "atelier/tensor/matrix_rows.h"

#include <vector>

#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace atelier {

void read_row(const Tensor& matrix, int64_t n, float* row) {
  const int64_t K = matrix.shape().rank() == 1 ? 1 : matrix.dim(1), bytes = row_bytes(matrix.dtype(), K);
  const auto* data = static_cast<const uint8_t*>(matrix.data());
  if (matrix.layout() == TensorLayout::kRows) return quant::to_f32(matrix.dtype(), data + n * bytes, row, K);
  thread_local std::vector<uint8_t> packed;  // a row put together, kept for the next
  packed.resize(static_cast<size_t>(bytes));
  quant::unpack_tile_row(matrix.dtype(), data, n, K, packed.data());
  quant::to_f32(matrix.dtype(), packed.data(), row, K);
}

Tensor as_f32(const Tensor& x) {
  if (x.dtype() == DType::kF32) return x;
  Tensor out = Tensor::zeros(DType::kF32, x.shape());
  if (x.layout() == TensorLayout::kRows) {
    quant::to_f32(x.dtype(), x.data(), out.f32(), x.count());
    return out;
  }
  for (int64_t n = 0; n < x.dim(0); ++n) read_row(x, n, out.f32() + n * x.dim(1));
  return out;
}

}  // namespace atelier
