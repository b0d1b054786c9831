// Dropout whose mask is a function of where a value stands, not of what was drawn before it.
//
//   y[t, c] = x[t, c] / (1 - p) with probability 1 - p, else 0
//
// Shapes   x [T, C] F32   samples, positions [T]   ->   y [T, C] F32 in the arena
// Units    p in [0, 1), in steps of 2^-16
// Key      (seed, step, samples[t], positions[t], site, c): the same row has the same mask in any micro-batch, at any place in it, and when
//          a block is computed again. Philox4x32-10 (base/rng.h), eight 16-bit draws a call
// Gradient x, with the same mask
// Source   Srivastava et al. 2014, JMLR 15
#pragma once

#include <cstdint>
#include <span>

#include "atelier/ops/context.h"

namespace atelier::ops {

// What rows of a forward pass are dropped by; both spans live until the tape's walk.
struct DropoutRows {
  float p = 0;  // nothing is dropped
  uint64_t seed = 0;
  uint64_t step = 0;
  uint32_t site = 0;                   // which of a model's dropouts
  std::span<const uint64_t> samples;   // [T]
  std::span<const int32_t> positions;  // [T]

  DropoutRows at(uint32_t where) const {
    DropoutRows rows = *this;
    rows.site = where;
    return rows;
  }
};

// x itself when p is 0.
Tensor dropout(Context& context, const Tensor& x, const DropoutRows& rows);

}  // namespace atelier::ops
