#include "atelier/models/resident_weights.h"

#include <algorithm>
#include <cstring>

#include "atelier/io/anonymous_memory.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/tiles.h"

namespace atelier::models {
namespace {

constexpr int64_t kAlignment = 64;

TensorLayout layout_of(const Tensor& matrix) { return is_quantized(matrix.dtype()) ? TensorLayout::kTiles : TensorLayout::kRows; }

int64_t aligned_bytes(const Tensor& matrix) {
  const Tensor resident = Tensor::view(matrix.dtype(), matrix.shape(), nullptr, nullptr, layout_of(matrix));
  return (resident.num_bytes() + kAlignment - 1) / kAlignment * kAlignment;
}

// Rows in parts of sixteen, the last one perhaps fewer.
void copy(const Tensor& matrix, uint8_t* target) {
  const int64_t N = matrix.dim(0), K = matrix.dim(1), stride = row_bytes(matrix.dtype(), K);
  const auto* rows = static_cast<const uint8_t*>(matrix.data());
  const bool is_tiled = layout_of(matrix) == TensorLayout::kTiles;
  parallel_for((N + quant::kTileRows - 1) / quant::kTileRows, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t n = begin * quant::kTileRows; n < std::min(N, end * quant::kTileRows); n += quant::kTileRows) {
      const int64_t count = std::min(quant::kTileRows, N - n);
      if (is_tiled) {
        quant::pack_tile(matrix.dtype(), rows + n * stride, count, K, target + n * stride);
      } else {
        std::memcpy(target + n * stride, rows + n * stride, static_cast<size_t>(count * stride));
      }
    }
  });
}

}  // namespace

Status make_resident(std::span<const LoadedMatrix> matrices) {
  int64_t total = 0;
  for (const LoadedMatrix& matrix : matrices) total += aligned_bytes(*matrix.tensor);
  if (total == 0) return {};
  ATELIER_TRY(const std::shared_ptr<uint8_t> memory, io::map_anonymous(total, "weights", "free memory or use a smaller type"));
  uint8_t* next = memory.get();
  for (const LoadedMatrix& matrix : matrices) {
    Tensor& tensor = *matrix.tensor;
    copy(tensor, next);
    matrix.entry->drop_pages();
    const int64_t bytes = aligned_bytes(tensor);
    tensor = Tensor::view(tensor.dtype(), tensor.shape(), next, memory, layout_of(tensor));
    next += bytes;
  }
  return {};
}

}  // namespace atelier::models
