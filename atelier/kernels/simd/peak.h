// The products of one ISA at their best: on registers alone, with as many independent sums as a tile of the real kernels has. What they
// reach is the limit that kernels/measure.h compares the others with.
#pragma once

#include "atelier/kernels/simd/intrinsics.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

inline constexpr int kPeakSteps = 8;  // products of every sum in a round

template <class S>
struct PeakKernels {
  using F = typename S::F;
  using I = typename S::I;

  static int64_t f32(int64_t rounds, float* memory) {
    constexpr int kSums = 12;
    F sums[kSums], a = S::load(memory), b = a;
    for (F& sum : sums) sum = a;
    for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 8
      for (int step = 0; step < kPeakSteps; ++step) {
#pragma GCC unroll 12
        for (int j = 0; j < kSums; ++j) sums[j] = S::fma(a, b, sums[j]);
      }
    }
    for (const F sum : sums) S::store(memory, S::add(sum, S::load(memory)));
    return rounds * kPeakSteps * kSums * S::kLanes * 2;
  }

  // Weights of four bits, which every rung multiplies fastest.
  static int64_t int8(int64_t rounds, float* memory) {
    constexpr int kSums = 2 * S::kInt8Rows;
    using Dot = typename S::template Dot<15, 8>;
    Dot sums[kSums];
    I w = S::bits(S::load(memory)), x = w;
    for (Dot& sum : sums) sum.sum = S::zero_int();
    for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 8
      for (int step = 0; step < kPeakSteps; ++step) {
#pragma GCC unroll 8
        for (int j = 0; j < kSums; ++j) {
          ATELIER_KEEP_IN_REGISTER(w);  // otherwise one product would serve all sums
          sums[j].step(step, w, x);
        }
      }
    }
    for (Dot& sum : sums) S::store(memory, S::add(S::from_int(sum.value(kPeakSteps)), S::load(memory)));
    return rounds * kPeakSteps * kSums * S::kLanes * 8;
  }
};

// Of an ISA that multiplies pairs of bfloat16.
template <class S>
int64_t peak_bf16_products(int64_t rounds, float* memory) {
  constexpr int kSums = 12;
  typename S::F sums[kSums];
  const typename S::I a = S::bits(S::load(memory));
  for (auto& sum : sums) sum = S::load(memory);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 8
    for (int step = 0; step < kPeakSteps; ++step) {
#pragma GCC unroll 12
      for (int j = 0; j < kSums; ++j) sums[j] = S::dot_bf16(sums[j], a, a);
    }
  }
  for (const auto sum : sums) S::store(memory, S::add(sum, S::load(memory)));
  return rounds * kPeakSteps * kSums * S::kLanes * 4;
}

}  // namespace atelier::kernels
