#include "atelier/ops/dropout.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/error.h"
#include "atelier/base/rng.h"
#include "atelier/parallel/parallel.h"

namespace atelier::ops {
namespace {

constexpr int64_t kDraws = 8;  // of one Philox call

void drop_row(const DropoutRows& rows, int64_t t, const float* x, float* y, int64_t C) {
  const auto threshold = static_cast<uint32_t>(std::lround(rows.p * 65536));
  const float factor = 1 / (1 - static_cast<float>(threshold) / 65536);
  const uint64_t sample = rows.samples[static_cast<size_t>(t)];
  const auto position = static_cast<uint32_t>(rows.positions[static_cast<size_t>(t)]);
  const uint64_t key = rows.seed ^ (rows.step * 0x9e3779b97f4a7c15u) ^ (sample >> 32 << 16);
  for (int64_t c = 0; c < C; c += kDraws) {
    const auto words = philox4x32({static_cast<uint32_t>(c / kDraws), rows.site, position, static_cast<uint32_t>(sample)},
                                  {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
    for (int64_t i = 0; i < std::min(kDraws, C - c); ++i) {
      const uint32_t draw = words[static_cast<size_t>(i / 2)] >> (i % 2 * 16) & 0xffff;
      y[c + i] = draw < threshold ? 0 : x[c + i] * factor;
    }
  }
}

void drop(const DropoutRows& rows, const float* x, float* y, int64_t T, int64_t C) {
  parallel_for(T, std::max<int64_t>(1, 2048 / C), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) drop_row(rows, t, x + t * C, y + t * C, C);
  });
}

}  // namespace

Tensor dropout(Context& context, const Tensor& x, const DropoutRows& rows) {
  if (rows.p == 0) return x;
  const auto T = static_cast<int64_t>(rows.samples.size());
  if (x.shape().rank() != 2 || x.dim(0) != T || rows.positions.size() != rows.samples.size() || rows.p < 0 || rows.p >= 1) {
    throw ShapeError("[dropout] x is " + x.shape().to_string() + ", rows " + std::to_string(T) + ", p " + std::to_string(rows.p));
  }
  Tensor y = context.arena.empty_f32(x.shape());
  drop(rows, x.f32(), y.f32(), T, x.dim(1));
  if (is_recorded(context, x)) {
    context.tape->record(y, [x, y, rows](Tape& tape) {
      float* dy = tape.sums(y);
      drop(rows, dy, dy, y.dim(0), y.dim(1));
      tape.pass(y, x);
    });
  }
  return y;
}

}  // namespace atelier::ops
