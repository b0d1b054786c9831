#include "atelier/ops/embedding.h"

#include <vector>

#include "atelier/base/error.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace atelier::ops {

Tensor embedding(Context& context, const Tensor& table, std::span<const int32_t> ids) {
  if (table.shape().rank() != 2) throw ShapeError("[embedding] table is " + table.shape().to_string() + ", want [V, C]");
  const int64_t C = table.dim(1);
  const auto* data = static_cast<const uint8_t*>(table.data());
  std::vector<uint8_t> row;  // of a tiled table, put together
  Tensor y = context.arena.empty_f32({static_cast<int64_t>(ids.size()), C});
  for (size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] < 0 || ids[t] >= table.dim(0)) {
      throw ShapeError("[embedding] id " + std::to_string(ids[t]) + " of a table " + table.shape().to_string());
    }
    const uint8_t* src = data + ids[t] * row_bytes(table.dtype(), C);
    if (table.layout() == TensorLayout::kTiles) {
      row.resize(static_cast<size_t>(row_bytes(table.dtype(), C)));
      quant::unpack_tile_row(table.dtype(), data, ids[t], C, row.data());
      src = row.data();
    }
    quant::to_f32(table.dtype(), src, y.f32() + static_cast<int64_t>(t) * C, C);
  }
  return y;
}

}  // namespace atelier::ops
