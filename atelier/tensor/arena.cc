#include "atelier/tensor/arena.h"

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/io/anonymous_memory.h"

namespace atelier {
namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kMinBlock = size_t{1} << 20;
}  // namespace

Tensor Arena::empty(DType dtype, Shape shape) {
  return Tensor::view(dtype, shape, take(static_cast<size_t>(row_bytes(dtype, shape.count()))), nullptr);
}

Tensor Arena::name(Shape shape) { return Tensor::view(DType::kF32, shape, take(1), nullptr); }

void Arena::rewind(Mark mark) {
  block_ = mark.block;
  used_ = mark.used;
}

size_t Arena::capacity_bytes() const {
  size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

std::byte* Arena::take(size_t bytes) {
  bytes = std::max<size_t>(1, (bytes + kAlignment - 1) / kAlignment) * kAlignment;
  while (block_ < blocks_.size() && blocks_[block_].size - used_ < bytes) {  // the rest of this block is too small
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t size = std::max({bytes, kMinBlock, blocks_.empty() ? 0 : 2 * blocks_.back().size});
    auto memory = io::map_anonymous(static_cast<int64_t>(size), "arena", "use fewer rows at a time");
    if (!memory.ok()) throw Error(memory.status().message());
    blocks_.push_back({std::move(memory).value(), size});
    used_ = 0;
  }
  std::byte* out = reinterpret_cast<std::byte*>(blocks_[block_].memory.get()) + used_;
  used_ += bytes;
  return out;
}

}  // namespace atelier
