#include "atelier/kernels/update.h"

#include <algorithm>
#include <vector>

#include "atelier/kernels/dispatch.h"
#include "atelier/parallel/parallel.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kElementsPerThread = 8192;  // the least that is worth a thread
constexpr int64_t kSumChunk = 1 << 16;        // elements that are summed as one, whoever sums them

}  // namespace

void adam_update(float* w, const float* gradient, float* m, float* v, int64_t count, const AdamStep& step) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    table.adam_update(w + begin, gradient + begin, m + begin, v + begin, end - begin, step);
  });
}

void momentum_update(float* w, const float* gradient, float* b, int64_t count, const MomentumStep& step) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.momentum_update(w + begin, gradient + begin, b + begin, end - begin, step); });
}

void rmsprop_update(float* w, const float* gradient, float* v, int64_t count, const RmsPropStep& step) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.rmsprop_update(w + begin, gradient + begin, v + begin, end - begin, step); });
}

void lion_update(float* w, const float* gradient, float* m, int64_t count, const LionStep& step) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.lion_update(w + begin, gradient + begin, m + begin, end - begin, step); });
}

void average_update(float* average, const float* w, int64_t count, float share) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.average_update(average + begin, w + begin, end - begin, share); });
}

double sum_of_squares(const float* x, int64_t count) {
  const KernelTable& table = active();
  const int64_t num_chunks = (count + kSumChunk - 1) / kSumChunk;
  thread_local std::vector<double> memory;
  memory.assign(static_cast<size_t>(num_chunks), 0);
  double* sums = memory.data();  // the owner thread's, also for the others
  parallel_for(num_chunks, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) sums[i] = table.sum_of_squares(x + i * kSumChunk, std::min(kSumChunk, count - i * kSumChunk));
  });
  double total = 0;
  for (int64_t i = 0; i < num_chunks; ++i) total += sums[i];
  return total;
}

}  // namespace atelier::kernels
