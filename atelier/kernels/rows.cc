// Functions of rows and of single elements on the team. Small inputs stay on the calling thread: waking the team costs microseconds.
#include <algorithm>

#include "atelier/kernels/dispatch.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kElementsPerThread = 16384;  // the least that is worth a thread

int64_t rows_per_thread(int64_t C) { return std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(1, C)); }

}  // namespace

void rms_norm(const float* x, int64_t ldx, const float* weight, float eps, float* y, int64_t ldy, int64_t T, int64_t C) {
  const KernelTable& table = active();
  parallel_for(T, rows_per_thread(C), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) table.rms_norm(x + t * ldx, weight, eps, y + t * ldy, C);
  });
}

void layer_norm(const float* x, int64_t ldx, const float* weight, const float* bias, float eps, float* y, int64_t ldy, int64_t T,
                int64_t C) {
  const KernelTable& table = active();
  parallel_for(T, rows_per_thread(C), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) table.layer_norm(x + t * ldx, weight, bias, eps, y + t * ldy, C);
  });
}

void activate(Activation activation, const float* x, float* y, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.activate(activation, x + begin, y + begin, end - begin); });
}

void gated_activate(Activation activation, const float* gate, const float* up, float* y, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    table.gated_activate(activation, gate + begin, up + begin, y + begin, end - begin);
  });
}

void add(const float* a, const float* b, float* y, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.add(a + begin, b + begin, y + begin, end - begin); });
}

void scale(const float* x, float factor, float* y, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) { table.scale(x + begin, factor, y + begin, end - begin); });
}

void soft_cap(const float* x, float cap, float* y, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) { table.soft_cap(x + begin, cap, y + begin, end - begin); });
}

void rotary(float* x, int64_t ldx, int64_t T, int64_t num_heads, int64_t D, int64_t R, const int32_t* position, const float* cos,
            const float* sin, RotaryLayout layout) {
  const KernelTable& table = active();
  parallel_for(T, rows_per_thread(num_heads * D), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t row = position[t] * (R / 2);
      table.rotary(x + t * ldx, num_heads, D, R, cos + row, sin + row, layout);
    }
  });
}

void store(DType dtype, const float* src, void* dst, int64_t count) {
  switch (dtype) {
    case DType::kF16:
      return active().store_f16(src, static_cast<uint16_t*>(dst), count);
    case DType::kQ8_0:
      return active().store_q8_0(src, static_cast<uint8_t*>(dst), count);
    default:
      return quant::from_f32(dtype, src, dst, count);
  }
}

void load(DType dtype, const void* src, float* dst, int64_t count) {
  switch (dtype) {
    case DType::kF16:
    case DType::kBF16:
      return active().widen(dtype, static_cast<const uint16_t*>(src), dst, count);
    default:
      return quant::to_f32(dtype, src, dst, count);
  }
}

LogSumExp log_sum_exp(const float* x, int64_t count) { return active().log_sum_exp(x, count); }

}  // namespace atelier::kernels
