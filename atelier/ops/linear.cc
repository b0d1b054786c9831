#include "atelier/ops/linear.h"

#include <array>

#include "atelier/base/error.h"

namespace atelier::ops {
namespace {

kernels::Compute compute_for(Precision precision, DType weight) {
  if (precision == Precision::kF32) return kernels::Compute::kF32;
  if (is_quantized(weight)) return kernels::Compute::kInt8;
  return precision == Precision::kBF16 || weight == DType::kBF16 ? kernels::Compute::kBF16 : kernels::Compute::kF32;
}

void check(const Tensor& x, const LinearArgs& args) {
  const Shape& weight = args.weight->shape();
  if (x.shape().rank() != 2 || weight.rank() != 2 || weight[1] != x.dim(1)) {
    throw ShapeError("[linear] x is " + x.shape().to_string() + ", weight is " + weight.to_string());
  }
  if (is_quantized(args.weight->dtype()) != (args.weight->layout() == TensorLayout::kTiles)) {
    throw DTypeError(std::string("[linear] weight is ") + dtype_name(args.weight->dtype()) + " in " +
                     (args.weight->layout() == TensorLayout::kTiles ? "tiles, want rows" : "rows, want tiles (quant/tiles.h)"));
  }
  if (args.bias != nullptr && *args.bias && args.bias->count() != weight[0]) {
    throw ShapeError("[linear] weight is " + weight.to_string() + ", bias is " + args.bias->shape().to_string());
  }
}

}  // namespace

void linear_group(Context& context, const Tensor& x, std::span<const LinearArgs> group) {
  constexpr size_t kMaxGroup = 4;
  ATELIER_CHECK(group.size() <= kMaxGroup);
  for (const LinearArgs& args : group) {
    check(x, args);
    if (context.observer != nullptr) (*context.observer)(*args.weight, x);
    *args.y = context.arena.empty_f32({x.dim(0), args.weight->dim(0)});
  }
  // Members that form their products alike run as one kernel call; a file that mixes float and block types splits the group.
  std::array<bool, kMaxGroup> done{};
  for (size_t first = 0; first < group.size(); ++first) {
    if (done[first]) continue;
    const kernels::Compute compute = compute_for(context.precision, group[first].weight->dtype());
    std::array<kernels::Linear, kMaxGroup> calls;
    size_t num_calls = 0;
    for (size_t i = first; i < group.size(); ++i) {
      const Tensor& weight = *group[i].weight;
      if (done[i] || compute_for(context.precision, weight.dtype()) != compute) continue;
      done[i] = true;
      const Tensor* bias = group[i].bias;
      calls[num_calls++] = {weight.dtype(),    weight.data(), weight.dim(0), bias != nullptr && *bias ? bias->f32() : nullptr,
                            group[i].y->f32(), weight.dim(0)};
    }
    kernels::linear(std::span(calls.data(), num_calls), x.f32(), x.dim(1), x.dim(0), x.dim(1), compute);
  }
}

Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y;
  const LinearArgs args{&weight, &bias, &y};
  linear_group(context, x, std::span(&args, 1));
  return y;
}

}  // namespace atelier::ops
