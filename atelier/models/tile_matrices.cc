#include "atelier/models/tile_matrices.h"

#include <algorithm>

#include "atelier/io/anonymous_memory.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/tiles.h"

namespace atelier::models {
namespace {

constexpr int64_t kAlignment = 64;

int64_t aligned_bytes(const Tensor& matrix) {
  const int64_t bytes = quant::tiled_bytes(matrix.dtype(), matrix.dim(0), matrix.dim(1));
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void pack(const Tensor& matrix, uint8_t* tiles) {
  const int64_t N = matrix.dim(0), K = matrix.dim(1), stride = row_bytes(matrix.dtype(), K);
  const auto* rows = static_cast<const uint8_t*>(matrix.data());
  parallel_for((N + quant::kTileRows - 1) / quant::kTileRows, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t n = begin * quant::kTileRows; n < std::min(N, end * quant::kTileRows); n += quant::kTileRows) {
      quant::pack_tile(matrix.dtype(), rows + n * stride, std::min(quant::kTileRows, N - n), K, tiles + n * stride);
    }
  });
}

}  // namespace

Status tile_matrices(std::span<const LoadedMatrix> matrices) {
  int64_t total = 0;
  for (const LoadedMatrix& matrix : matrices) total += aligned_bytes(*matrix.tensor);
  if (total == 0) return {};
  ATELIER_TRY(const std::shared_ptr<uint8_t> memory, io::map_anonymous(total, "weights"));
  uint8_t* next = memory.get();
  for (const LoadedMatrix& matrix : matrices) {
    Tensor& tensor = *matrix.tensor;
    pack(tensor, next);
    matrix.entry->drop_pages();
    const int64_t bytes = aligned_bytes(tensor);
    tensor = Tensor::view(tensor.dtype(), tensor.shape(), next, memory, TensorLayout::kTiles);
    next += bytes;
  }
  return {};
}

}  // namespace atelier::models
