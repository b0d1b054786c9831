#include "atelier/ops/embedding.h"

#include "atelier/base/error.h"
#include "atelier/parallel/parallel.h"
#include "atelier/tensor/matrix_rows.h"

namespace atelier::ops {
namespace {

// Rows in order, columns on the team, so that an id that occurs twice has its sum in one order.
void embedding_backward(Tape& tape, const Tensor& table, std::span<const int32_t> ids, const Tensor& y) {
  const int64_t C = table.dim(1);
  const float* dy = tape.gradient(y);
  float* d_table = tape.sums(table);
  parallel_for(C, 64, [&](int64_t begin, int64_t end, int) {
    for (size_t t = 0; t < ids.size(); ++t) {
      const float* from = dy + static_cast<int64_t>(t) * C;
      float* to = d_table + ids[t] * C;
      for (int64_t c = begin; c < end; ++c) to[c] += from[c];
    }
  });
}

}  // namespace

Tensor embedding(Context& context, const Tensor& table, std::span<const int32_t> ids) {
  if (table.shape().rank() != 2) throw ShapeError("[embedding] table is " + table.shape().to_string() + ", want [V, C]");
  const int64_t C = table.dim(1);
  Tensor y = context.arena.empty_f32({static_cast<int64_t>(ids.size()), C});
  for (size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] < 0 || ids[t] >= table.dim(0)) {
      throw ShapeError("[embedding] id " + std::to_string(ids[t]) + " of a table " + table.shape().to_string());
    }
    read_row(table, ids[t], y.f32() + static_cast<int64_t>(t) * C);
  }
  if (is_recorded(context, table)) {
    context.tape->record(y, [table, ids, y](Tape& tape) { embedding_backward(tape, table, ids, y); });
  }
  return y;
}

}  // namespace atelier::ops
