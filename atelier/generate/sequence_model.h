// What generation needs of a model: one sequence with a cache that grows at its end and can be cut back.
#pragma once

#include <cstdint>
#include <span>

#include "atelier/base/status.h"

namespace atelier::generate {

class SequenceModel {
 public:
  virtual ~SequenceModel() = default;

  virtual int64_t context() const = 0;        // tokens that the cache can hold
  virtual int64_t length() const = 0;         // tokens that it holds
  virtual void truncate(int64_t length) = 0;  // forgets the tokens from `length` on

  // Runs ids at the end of the sequence. Returns the logits [num_logits, V] of the last `num_logits` of them, valid until the next
  // call. The caller leaves room: length() + ids.size() <= context().
  virtual Result<std::span<const float>> forward(std::span<const int32_t> ids, int64_t num_logits) = 0;
};

}  // namespace atelier::generate
