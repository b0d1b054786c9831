// Keeps the books of a CheckpointWriter: which tensor comes next, and how many of its bytes are still to come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"

namespace atelier::format {

class TensorSequence {
 public:
  // Refuses names that repeat, shapes whose sizes pass int64 and rows that are no whole blocks.
  static Result<TensorSequence> create(std::vector<TensorInfo> tensors);

  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  int64_t bytes_of(size_t i) const { return bytes_[i]; }

  // The tensor that the next byte belongs to; tensors().size() at the end. Tensors of no bytes are passed over.
  size_t current() const { return current_; }

  // Takes `bytes` bytes of the current tensor; an error when it has not that many left.
  Status advance(int64_t bytes);

  // An error that names the tensor whose bytes are missing, if any.
  Status check_complete() const;

 private:
  void skip_complete();

  std::vector<TensorInfo> tensors_;
  std::vector<int64_t> bytes_;
  size_t current_ = 0;
  int64_t taken_ = 0;  // bytes of the current tensor that came already
};

}  // namespace atelier::format
