// Writing a checkpoint tensor by tensor, some rows at a time: what is in memory does not depend on the size of the model.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"

namespace atelier::convert {

// Gives row `row` of a tensor as floats; called from several threads at once.
using RowReader = std::function<void(int64_t row, float* out)>;

// Told the bytes written so far and in all; false stops the work with a Cancelled status.
using Progress = std::function<bool(int64_t done_bytes, int64_t total_bytes)>;

// A tensor to be written. A row is its last axis; a vector or scalar is one row.
struct OutputTensor {
  format::TensorInfo info;          // name, type and shape as written
  std::function<RowReader()> open;  // called once when the tensor's turn comes; what it holds is freed after the tensor
  const void* stored = nullptr;     // the bytes to write when the type is `stored_type`: then no row is read
  DType stored_type = DType::kF32;
  std::vector<float> importance;  // [row length], or empty
  bool is_changed = false;        // its values are not those of the source (relayout.h, additions)

  int64_t row_length() const { return info.shape.empty() ? 1 : info.shape.back(); }
  int64_t num_rows() const;
  int64_t bytes() const;  // as written
};

// Writes every tensor in order: rows are read, checked and packed on all threads. Errors: a value that is not finite, a value too
// large for F16, what the writer says, Cancelled.
Status write_tensors(std::span<const OutputTensor> tensors, format::CheckpointWriter& writer, const Progress& progress);

}  // namespace atelier::convert
