#include "atelier/format/tensor_sequence.h"

#include <unordered_set>

#include "atelier/base/strings.h"
#include "atelier/format/extents.h"

namespace atelier::format {

Result<TensorSequence> TensorSequence::create(std::vector<TensorInfo> tensors) {
  TensorSequence sequence;
  std::unordered_set<std::string_view> names;
  for (const TensorInfo& tensor : tensors) {
    if (!names.insert(tensor.name).second) return Status::invalid("tensor " + quoted(tensor.name) + " is declared twice");
    ATELIER_TRY(const int64_t bytes, bytes_of_shape(tensor.dtype, tensor.shape, tensor.name));
    sequence.bytes_.push_back(bytes);
  }
  sequence.tensors_ = std::move(tensors);
  sequence.skip_complete();
  return sequence;
}

Status TensorSequence::advance(int64_t bytes) {
  if (bytes == 0) return Status::ok_status();
  if (current_ == tensors_.size()) return Status::invalid(std::to_string(bytes) + " bytes came after the last tensor");
  if (bytes < 0 || bytes > bytes_[current_] - taken_) {
    return Status::invalid("tensor " + quoted(tensors_[current_].name) + " has " + std::to_string(bytes_[current_]) + " bytes, but " +
                           std::to_string(taken_) + " + " + std::to_string(bytes) + " came");
  }
  taken_ += bytes;
  skip_complete();
  return Status::ok_status();
}

Status TensorSequence::check_complete() const {
  if (current_ == tensors_.size()) return Status::ok_status();
  return Status::invalid("tensor " + quoted(tensors_[current_].name) + " has " + std::to_string(bytes_[current_]) + " bytes, only " +
                         std::to_string(taken_) + " came");
}

void TensorSequence::skip_complete() {
  while (current_ < tensors_.size() && taken_ == bytes_[current_]) {
    ++current_;
    taken_ = 0;
  }
}

}  // namespace atelier::format
