// Rows that come from a table instead: prompts and prefixes that are learned.
//
//   y[t, :] = table[index[t], :] where index[t] >= 0, else x[t, :]
//
// Shapes   x [T, C] F32   table [P, C] F32   index: T entries below P   ->   y [T, C] in the arena; ShapeError otherwise
// Gradient x, table. `index` lives until the tape's walk
#pragma once

#include <cstdint>
#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor replace_rows(Context& context, const Tensor& x, const Tensor& table, std::span<const int32_t> index);

}  // namespace atelier::ops
