// A tensor: element type, shape, and memory that it owns, maps or borrows.
//
// Row-major, last axis contiguous, PyTorch order; no strides: what needs another order is copied. A Tensor is a cheap value (a view):
// copies share the same elements. Memory is kept alive by `owner` (a mapped file, a heap block) or borrowed from an Arena, whose
// reset ends the life of every tensor it gave out.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "atelier/base/dtype.h"

namespace atelier {

// Up to four dimensions.
class Shape {
 public:
  static constexpr int kMaxRank = 4;
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);  // ShapeError above four dimensions or for a negative one

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[axis < 0 ? rank_ + axis : axis]; }  // -1 is the last axis
  int64_t count() const;                                                                // product; 1 for a scalar
  std::string to_string() const;                                                        // "[2, 8]"
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// How the elements lie: row after row, or, for a matrix of a block type that products read, as tiles (quant/tiles.h).
enum class TensorLayout : uint8_t { kRows, kTiles };

class Tensor {
 public:
  Tensor() = default;  // no tensor; converts to false

  // Views `data`; `owner` keeps it alive and may be null when the caller does.
  static Tensor view(DType dtype, Shape shape, const void* data, std::shared_ptr<const void> owner,
                     TensorLayout layout = TensorLayout::kRows);
  // Zeroed heap memory, 64-byte aligned.
  static Tensor zeros(DType dtype, Shape shape);

  explicit operator bool() const { return data_ != nullptr; }
  DType dtype() const { return dtype_; }
  TensorLayout layout() const { return layout_; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int axis) const { return shape_[axis]; }
  int64_t count() const { return shape_.count(); }
  int64_t num_bytes() const;

  const void* data() const { return data_; }
  void* mutable_data() { return const_cast<void*>(data_); }  // only for memory that is not a mapped file
  const float* f32() const;                                  // DTypeError unless F32
  float* f32();

  // Rows [begin, end) of the first axis, sharing memory; not of tiles. Quantized rows are whole blocks, so any row range is a view.
  Tensor rows(int64_t begin, int64_t end) const;
  // The same elements in another shape of the same count.
  Tensor reshaped(Shape shape) const;

 private:
  const void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
  Shape shape_;
  DType dtype_ = DType::kF32;
  TensorLayout layout_ = TensorLayout::kRows;
};

}  // namespace atelier
