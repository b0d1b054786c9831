// Memory for the tensors of one step: taken in order, given back all at once, so that a steady step allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "atelier/tensor/tensor.h"

namespace atelier {

class Arena {
 public:
  // An uninitialised tensor that lives until the next reset() (or rewind before it).
  Tensor empty(DType dtype, Shape shape);
  Tensor empty_f32(Shape shape) { return empty(DType::kF32, shape); }

  // An address of its own that stands for a value of this shape; nothing is stored there.
  Tensor name(Shape shape);

  // A point to return to: what was taken after it is free again, for the temporaries of one layer.
  struct Mark {
    size_t block, used;
  };
  Mark mark() const { return {block_, used_}; }
  void rewind(Mark mark);
  void reset() { rewind({0, 0}); }

  size_t capacity_bytes() const;

 private:
  struct Block {
    std::shared_ptr<uint8_t> memory;  // in huge pages where the system has them (io/anonymous_memory.h)
    size_t size;
  };
  std::byte* take(size_t bytes);

  std::vector<Block> blocks_;  // kept between steps
  size_t block_ = 0;           // the block in use
  size_t used_ = 0;            // bytes of it that are taken
};

}  // namespace atelier
