// Short measurements of this machine with the kernels in use: for `doctor`, the scheduler's estimates and bench/kernels_bench.
//
// Each returns the best of as many tries as fit its budget of seconds (at least three): on a shared machine the best is the nearest to
// what the hardware does. All run on the current thread team.
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/dtype.h"
#include "atelier/kernels/kernels.h"

namespace atelier::kernels {

// Values that look like weights and cost nothing to make: speed does not depend on them, as long as they are ordinary numbers.
std::vector<float> ordinary_values(int64_t count);

// Bytes per second that the team reads from memory, far beyond the caches.
double measure_bandwidth(double budget_s = 0.25);

// Operations per second that the team reaches with products on registers alone: what no kernel of this ISA can surpass. Where there is no
// bfloat16 product, kBF16 is kF32.
double measure_peak(Compute compute, double budget_s = 0.1);

// Seconds of one linear layer of random weights: T rows, N outputs, K inputs (a multiple of the weight type's block).
double measure_linear(DType dtype, Compute compute, int64_t T, int64_t N, int64_t K, double budget_s = 0.25);

// Operations per second (two for a multiplication and its addition) of a linear layer with many rows, 256 x 1536 x 512.
double measure_gemm(DType dtype, Compute compute);

}  // namespace atelier::kernels
