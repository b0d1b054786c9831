#include "atelier/kernels/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

#include "atelier/kernels/dispatch.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace atelier::kernels {
namespace {

template <typename Work>
double best_seconds(double budget_s, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  double best = 1e300, spent = 0;
  work();  // wakes the team and fills the caches
  for (int i = 0; i < 3 || spent < budget_s; ++i) {
    const Clock::time_point before = Clock::now();
    work();
    const Clock::time_point after = Clock::now();
    best = std::min(best, std::chrono::duration<double>(after - before).count());
    spent = std::chrono::duration<double>(after - start).count();
  }
  return best;
}

// One row, packed where the format can be and otherwise zeros, and repeated; block types as tiles.
std::vector<uint8_t> weights(DType dtype, int64_t N, int64_t K) {
  const int64_t bytes = row_bytes(dtype, K), part_rows = is_quantized(dtype) ? quant::kTileRows : 1;
  std::vector<uint8_t> rows(static_cast<size_t>(part_rows * bytes), 0);
  if (quant::can_pack(dtype)) quant::from_f32(dtype, ordinary_values(K).data(), rows.data(), K);
  for (int64_t n = 1; n < part_rows; ++n) std::memcpy(rows.data() + n * bytes, rows.data(), static_cast<size_t>(bytes));
  std::vector<uint8_t> part = rows;
  if (is_quantized(dtype)) quant::pack_tile(dtype, rows.data(), part_rows, K, part.data());
  std::vector<uint8_t> w;
  for (int64_t n = 0; n < N; n += part_rows) w.insert(w.end(), part.begin(), part.end());
  return w;
}

}  // namespace

std::vector<float> ordinary_values(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 37 % 101 - 50) * 0.01f;
  return values;
}

double measure_bandwidth(double budget_s) {
  constexpr int64_t kWords = int64_t{128} << 17;  // 128 MiB
  std::vector<uint64_t> memory(kWords, 1);
  std::vector<uint64_t> sums(static_cast<size_t>(num_threads()));
  const double seconds = best_seconds(budget_s, [&] {
    parallel_for(kWords, 4096, [&](int64_t begin, int64_t end, int thread) {
      uint64_t lanes[8] = {};  // sums that do not wait for each other
      for (int64_t i = begin; i + 8 <= end; i += 8) {
        for (int j = 0; j < 8; ++j) lanes[j] += memory[i + j];
      }
      for (const uint64_t lane : lanes) sums[thread] += lane;
    });
  });
  return static_cast<double>(kWords * sizeof(uint64_t)) / seconds;
}

double measure_peak(Compute compute, double budget_s) {
  constexpr int64_t kPieces = 16, kRounds = 20000;  // of each thread; a round is about a hundred products
  const KernelTable& table = active();
  const auto peak = compute == Compute::kInt8                      ? table.peak_int8
                    : compute == Compute::kBF16 && table.peak_bf16 ? table.peak_bf16
                                                                   : table.peak_f32;
  std::atomic<int64_t> operations = 0;
  const double seconds = best_seconds(budget_s, [&] {
    operations = 0;
    parallel_for(kPieces * num_threads(), 1, [&](int64_t begin, int64_t end, int) {
      float memory[kPeakFloats] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
      operations += peak((end - begin) * kRounds, memory);
    });
  });
  return static_cast<double>(operations) / seconds;
}

double measure_linear(DType dtype, Compute compute, int64_t T, int64_t N, int64_t K, double budget_s) {
  const std::vector<uint8_t> w = weights(dtype, N, K);
  const std::vector<float> x = ordinary_values(T * K);
  std::vector<float> y(static_cast<size_t>(T * N));
  const Linear layer = {dtype, w.data(), N, nullptr, y.data(), N};
  return best_seconds(budget_s, [&] { linear({&layer, 1}, {x.data(), K}, T, K, compute); });
}

double measure_gemm(DType dtype, Compute compute) {
  constexpr int64_t T = 256, N = 1536, K = 512;
  return 2.0 * T * N * K / measure_linear(dtype, compute, T, N, K, 0.1);
}

}  // namespace atelier::kernels
