// Quantized matrices in the order in which the kernels read them (quant/tiles.h).
//
// The weights that stay resident are the file's own bits, re-ordered once when a model is loaded; the pages of the mapped file that they
// came from are given back at once, so that memory holds them a single time. The copying runs on the thread team and costs about what
// reading the file costs.
#pragma once

#include <span>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/tensor/tensor.h"

namespace atelier::models {

struct LoadedMatrix {
  Tensor* tensor;                    // [N, K] of a block type, rows of the mapped file
  const format::TensorEntry* entry;  // where they lie
};

// Replaces each tensor by its tiles, all in one block of memory. OutOfRange when that cannot be had.
Status tile_matrices(std::span<const LoadedMatrix> matrices);

}  // namespace atelier::models
