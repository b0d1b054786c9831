#include "atelier/ops/relative_bias.h"

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/tensor/matrix_rows.h"

namespace atelier::ops {

Tensor relative_bias(Context& context, const Tensor& table, std::span<const int32_t> buckets) {
  if (table.shape().rank() != 2) throw ShapeError("[relative_bias] table is " + table.shape().to_string() + ", want [N, H]");
  const auto width = static_cast<int64_t>(buckets.size());
  const int64_t H = table.dim(1);
  if (width % 2 == 0) throw ShapeError("[relative_bias] " + std::to_string(width) + " distances, want an odd number");
  Tensor row = context.arena.empty_f32({H}), y = context.arena.empty_f32({H, width});
  for (int64_t i = 0; i < width; ++i) {
    const int32_t bucket = buckets[static_cast<size_t>(i)];
    if (bucket < 0 || bucket >= table.dim(0)) {
      throw ShapeError("[relative_bias] bucket " + std::to_string(bucket) + " of a table " + table.shape().to_string());
    }
    read_row(table, bucket, row.f32());
    for (int64_t h = 0; h < H; ++h) y.f32()[h * width + i] = row.f32()[h];
  }
  if (is_recorded(context, table)) {
    context.tape->record(y, [table, buckets, y](Tape& tape) {
      const int64_t heads = y.dim(0), count = y.dim(1);
      const float* dy = tape.gradient(y);
      float* d_table = tape.sums(table);
      for (int64_t h = 0; h < heads; ++h) {
        for (int64_t i = 0; i < count; ++i) d_table[buckets[static_cast<size_t>(i)] * heads + h] += dy[h * count + i];
      }
    });
  }
  return y;
}

}  // namespace atelier::ops
