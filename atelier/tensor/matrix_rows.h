// One row of a weight matrix as floats, whatever its type and layout.
#pragma once

#include "atelier/tensor/tensor.h"

namespace atelier {

// Row `n` of `matrix` [N, K] (rows or tiles, any float or block type; a vector [N] is a matrix of one column) into `row` [K].
void read_row(const Tensor& matrix, int64_t n, float* row);

// All rows in float32: the tensor itself where it is that already.
Tensor as_f32(const Tensor& x);

}  // namespace atelier
