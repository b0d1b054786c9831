// Rows of a table, one per id.
//
//   y[t, :] = table[ids[t], :]
//
// Shapes   table [V, C] of any weight type   ids: T of them in [0, V)   ->   y [T, C] F32 in the arena
// Gradient table. `ids` must live until the tape's walk
// Errors   ShapeError when an id is outside the table: callers check ids that come from outside before
#pragma once

#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

Tensor embedding(Context& context, const Tensor& table, std::span<const int32_t> ids);

}  // namespace atelier::ops
