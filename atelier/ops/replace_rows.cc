#include "atelier/ops/replace_rows.h"

#include <algorithm>
#include <cstring>

#include "atelier/base/error.h"

namespace atelier::ops {
namespace {

// The gradient of a replaced row goes to the table and to nothing else.
void replace_backward(Tape& tape, const Tensor& x, const Tensor& table, std::span<const int32_t> index, const Tensor& y) {
  const int64_t C = x.dim(1);
  float* dy = tape.sums(y);
  float* d_table = tape.needs_gradient(table) ? tape.sums(table) : nullptr;
  for (size_t t = 0; t < index.size(); ++t) {
    if (index[t] < 0) continue;
    float* row = dy + static_cast<int64_t>(t) * C;
    for (int64_t c = 0; d_table != nullptr && c < C; ++c) d_table[index[t] * C + c] += row[c];
    std::fill_n(row, C, 0.0f);
  }
  if (tape.needs_gradient(x)) tape.pass(y, x);
}

}  // namespace

Tensor replace_rows(Context& context, const Tensor& x, const Tensor& table, std::span<const int32_t> index) {
  if (x.shape().rank() != 2 || table.shape().rank() != 2 || x.dim(1) != table.dim(1) || static_cast<int64_t>(index.size()) != x.dim(0)) {
    throw ShapeError("[replace_rows] x is " + x.shape().to_string() + ", table is " + table.shape().to_string() + ", " +
                     std::to_string(index.size()) + " indices");
  }
  const int64_t C = x.dim(1);
  Tensor y = context.arena.empty_f32(x.shape());
  for (size_t t = 0; t < index.size(); ++t) {
    if (index[t] >= table.dim(0)) throw ShapeError("[replace_rows] index " + std::to_string(index[t]) + " of " + table.shape().to_string());
    const auto row = static_cast<int64_t>(t);
    const float* from = index[t] < 0 ? x.f32() + row * C : table.f32() + index[t] * C;
    std::memcpy(y.f32() + row * C, from, static_cast<size_t>(C) * sizeof(float));
  }
  if (is_recorded(context, x, table)) {
    context.tape->record(y, [x, table, index, y](Tape& tape) { replace_backward(tape, x, table, index, y); });
  }
  return y;
}

}  // namespace atelier::ops
