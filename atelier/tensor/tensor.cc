#include "atelier/tensor/tensor.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/io/anonymous_memory.h"
#include "atelier/quant/tiles.h"

namespace atelier {
namespace {
constexpr size_t kMappedBytes = size_t{4} << 20;  // from here on memory comes from the kernel, in huge pages where it has them
}  // namespace

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) throw ShapeError("[shape] " + std::to_string(dims.size()) + " dimensions, at most 4");
  for (const int64_t dim : dims) {
    if (dim < 0) throw ShapeError("[shape] negative dimension " + std::to_string(dim));
    dims_[rank_++] = dim;
  }
}

int64_t Shape::count() const {
  int64_t count = 1;
  for (int axis = 0; axis < rank_; ++axis) count *= dims_[axis];
  return count;
}

std::string Shape::to_string() const {
  std::string out = "[";
  for (int axis = 0; axis < rank_; ++axis) out += (axis ? ", " : "") + std::to_string(dims_[axis]);
  return out + "]";
}

Tensor Tensor::view(DType dtype, Shape shape, const void* data, std::shared_ptr<const void> owner, TensorLayout layout) {
  Tensor tensor;
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  tensor.shape_ = shape;
  tensor.dtype_ = dtype;
  tensor.layout_ = layout;
  return tensor;
}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  const size_t bytes = static_cast<size_t>(row_bytes(dtype, shape.count()));
  if (bytes >= kMappedBytes) {
    auto memory = io::map_anonymous(static_cast<int64_t>(bytes), "tensor", "use a smaller model or batch");
    if (!memory.ok()) throw Error(memory.status().message());
    const uint8_t* data = memory->get();
    return view(dtype, shape, data, std::move(memory).value());
  }
  const size_t rounded = (bytes + 64) / 64 * 64;  // at least one line, so that data() of an empty tensor is not null
  void* memory = std::aligned_alloc(64, rounded);
  if (memory == nullptr) throw Error("[tensor] no memory for " + std::to_string(bytes) + " bytes");
  std::memset(memory, 0, rounded);
  return view(dtype, shape, memory, std::shared_ptr<const void>(memory, [](const void* p) { std::free(const_cast<void*>(p)); }));
}

int64_t Tensor::num_bytes() const {
  return layout_ == TensorLayout::kTiles ? quant::tiled_bytes(dtype_, shape_[0], shape_[1]) : row_bytes(dtype_, count());
}

const float* Tensor::f32() const {
  if (dtype_ != DType::kF32) throw DTypeError(std::string("[tensor] is ") + dtype_name(dtype_) + ", want F32");
  return static_cast<const float*>(data_);
}

float* Tensor::f32() { return const_cast<float*>(std::as_const(*this).f32()); }

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (layout_ != TensorLayout::kRows || shape_.rank() == 0 || begin < 0 || end < begin || end > shape_[0]) {
    throw ShapeError("[rows] [" + std::to_string(begin) + ", " + std::to_string(end) + ") of " + shape_.to_string());
  }
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < shape_.rank(); ++axis) dims[axis] = shape_[axis];
  dims[0] = end - begin;
  const int64_t per_row = shape_[0] == 0 ? 0 : count() / shape_[0];
  const auto* start = static_cast<const uint8_t*>(data_) + begin * row_bytes(dtype_, per_row);
  return view(dtype_, Shape(std::span<const int64_t>(dims.data(), shape_.rank())), start, owner_);
}

Tensor Tensor::reshaped(Shape shape) const {
  if (shape.count() != count()) throw ShapeError("[reshape] " + shape_.to_string() + " to " + shape.to_string());
  Tensor out = *this;
  out.shape_ = shape;
  return out;
}

}  // namespace atelier
