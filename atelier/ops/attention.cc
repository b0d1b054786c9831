#include "atelier/ops/attention.h"

#include "atelier/base/error.h"

namespace atelier::ops {

Tensor attention(Context& context, const kernels::AttentionShape& shape, std::span<const kernels::AttentionRun> runs, const Tensor& q) {
  const int64_t width = shape.num_heads * shape.head_dim;
  if (q.shape().rank() != 2 || q.dim(1) != width || shape.num_kv_heads <= 0 || shape.num_heads % shape.num_kv_heads != 0) {
    throw ShapeError("[attention] q is " + q.shape().to_string() + ", heads " + std::to_string(shape.num_heads) + ", kv heads " +
                     std::to_string(shape.num_kv_heads) + ", head width " + std::to_string(shape.head_dim));
  }
  for (const kernels::AttentionRun& run : runs) {
    if (run.first_row < 0 || run.num_rows < 0 || run.first_row + run.num_rows > q.dim(0)) {
      throw ShapeError("[attention] rows " + std::to_string(run.first_row) + " + " + std::to_string(run.num_rows) + " of q " +
                       q.shape().to_string());
    }
  }
  Tensor out = context.arena.empty_f32(q.shape());
  const kernels::Compute compute = context.precision == Precision::kF32 ? kernels::Compute::kF32 : kernels::Compute::kBF16;
  kernels::attention(shape, runs, q.f32(), width, out.f32(), width, compute);
  return out;
}

void rotary_inplace(Tensor& x, int64_t num_heads, std::span<const int32_t> position, const Tensor& cos, const Tensor& sin,
                    kernels::RotaryLayout layout) {
  const int64_t half = cos.dim(1);
  if (x.shape().rank() != 2 || static_cast<int64_t>(position.size()) != x.dim(0) || x.dim(1) % num_heads != 0 ||
      2 * half > x.dim(1) / num_heads || !(cos.shape() == sin.shape())) {
    throw ShapeError("[rotary] x is " + x.shape().to_string() + ", heads " + std::to_string(num_heads) + ", cos is " +
                     cos.shape().to_string());
  }
  kernels::rotary(x.f32(), x.dim(1), x.dim(0), num_heads, x.dim(1) / num_heads, 2 * half, position.data(), cos.f32(), sin.f32(), layout);
}

}  // namespace atelier::ops
