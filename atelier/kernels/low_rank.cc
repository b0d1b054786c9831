#include "atelier/kernels/low_rank.h"

#include <algorithm>
#include <array>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/gradients.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"

namespace atelier::kernels {
namespace {

// Small operands of one call, kept for the next: the owner thread's.
enum Operand { kTurned, kScaled, kSums, kPanels, kNumOperands };
float* operand(Operand which, int64_t floats) {
  thread_local std::array<Workspace, kNumOperands> memory;
  return memory[which].take(floats);
}

void turn(const float* x, int64_t rows, int64_t columns, float* out) {
  active().matmul_f32.pack_turned(x, columns, rows, columns, out, rows);
}

// c [M, N] (+)= a [M, K] b [K, N]. Columns of b are read where they lie if they are whole panels, else from a copy.
void multiply(const float* a, const float* b, int64_t M, int64_t K, int64_t N, float* c, bool adds) {
  const MatmulKernels& kernels = active().matmul_f32;
  const int64_t panels = (N + kPanelColumns - 1) / kPanelColumns;
  const bool is_whole = N % kPanelColumns == 0;
  float* packed = is_whole ? nullptr : operand(kPanels, panels * K * kPanelColumns);
  if (!is_whole) kernels.pack_panels(b, N, K, N, packed, K * kPanelColumns);
  constexpr int64_t kRows = 96;
  const int64_t blocks = (M + kRows - 1) / kRows;
  parallel_for_each(panels * blocks, [&](int64_t i, int) {
    const int64_t row = i / panels * kRows, panel = i % panels, column = panel * kPanelColumns;
    const float* from = is_whole ? b + column : packed + panel * K * kPanelColumns;
    kernels.multiply(a + row * K, K, from, is_whole ? N : kPanelColumns, K, std::min(kRows, M - row), std::min(kPanelColumns, N - column),
                     c + row * N + column, N, adds);
  });
}

void linear_f32(const float* x, int64_t T, int64_t K, const float* weight, int64_t N, float* y) {
  const Linear call{DType::kF32, weight, N, nullptr, y, N};
  linear(std::span(&call, 1), {x, K}, T, K, Compute::kF32);
}

}  // namespace

void low_rank_forward(const LowRankShape& shape, const float* x, const float* a, const float* b, float scale, float* h, float* y) {
  const auto [T, K, N, R] = shape;
  linear_f32(x, T, K, a, R, h);
  float* b_turned = operand(kTurned, R * N);
  turn(b, N, R, b_turned);
  float* scaled = operand(kScaled, T * R);
  kernels::scale(h, scale, scaled, T * R);
  multiply(scaled, b_turned, T, R, N, y, true);
}

void low_rank_backward(const LowRankShape& shape, const float* x, const float* b, float scale, const float* h, const float* dy,
                       const LowRankGradients& out) {
  const auto [T, K, N, R] = shape;
  float* sums = operand(kSums, R * std::max(N, T));
  float* turned = operand(kTurned, R * std::max(N, T));
  turn(h, T, R, turned);
  multiply(turned, dy, R, T, N, sums, false);  // db turned, [R, N]
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t r = 0; r < R; ++r) out.db[n * R + r] += scale * sums[r * N + n];
  }
  turn(b, N, R, turned);
  linear_f32(dy, T, N, turned, R, out.dh);
  kernels::scale(out.dh, scale, out.dh, T * R);
  turn(out.dh, T, R, turned);
  multiply(turned, x, R, T, K, out.da, true);
}

}  // namespace atelier::kernels
