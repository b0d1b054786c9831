// Rows of a LinearInput, one at a time: how the drivers of products read what is computed on its way into an operand.
#pragma once

#include "atelier/kernels/kernels.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

// Row t of K inputs: where it lies, or computed in `scratch` [K].
const float* input_row(const KernelTable& table, const LinearInput& input, int64_t t, int64_t K, float* scratch);

}  // namespace atelier::kernels
