// Matrices where products read them fastest: in huge pages, block types in tiles (quant/tiles.h).
//
// A decoded token streams every matrix once. From a mapped file that is a look-up of an address for every 4 KiB, which costs a quarter of
// the memory's speed. So the weights that stay resident are the file's own bits, moved once when a model is loaded, quantized ones
// re-ordered on the way; the pages of the mapped file that they came from are given back at once, so that memory holds them a single time.
// Moving runs on the thread team and costs about what reading the file costs.
#pragma once

#include <span>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/tensor/tensor.h"

namespace atelier::models {

struct LoadedMatrix {
  Tensor* tensor;                    // [N, K], row after row
  const format::TensorEntry* entry;  // what it was loaded from
};

// Replaces each tensor by its copy, all in one block of memory. OutOfRange when that cannot be had.
Status make_resident(std::span<const LoadedMatrix> matrices);

}  // namespace atelier::models
