// Choosing the scale of a group of weights: weighted least squares over integer levels.
//
// A group x[0..n) is stored as integer levels l[i] in a small range, with x ~ scale * l or x ~ scale * l - offset. For fixed levels
// the best scale (and offset) have a closed form; for a fixed scale the best levels are found by rounding. A fit scans some tens of
// start scales around the one that maps the extreme value to the end of the range, solves, and then alternates the two steps from
// the best one until the error stops falling. Errors are weighted: see `weigh`.
//
// Groups have 8, 16 or 32 values. Every function is pure and deterministic; sums run over four fixed lanes.
#pragma once

#include <cstdint>

namespace atelier::quant {

// The levels that a group may use; the value of largest magnitude is meant to land on `anchor`, one of the two ends.
struct LevelRange {
  int lowest;
  int highest;
  int anchor;
};

// x ~ scale * l - offset
struct AffineFit {
  float scale;
  float offset;
};

// weights[i] = importance[i] * sqrt(mean_square + x[i]^2), with an importance of one where it is null: large weights deserve a little
// more precision than small ones. `mean_square` is that of the block around the group.
void weigh(const float* x, const float* importance, int n, float mean_square, float* weights);

// Minimises sum_i w[i] * (x[i] - scale * l[i])^2; the scale carries the sign of extreme / anchor. 0 for a group of zeros.
float fit_scale(const float* x, const float* weights, int n, LevelRange range);

// Minimises sum_i w[i] * (x[i] - scale * l[i] + offset)^2 over levels 0..highest, scale >= 0, and offset >= 0 unless `any_offset`.
AffineFit fit_affine(const float* x, const float* weights, int n, int highest, bool any_offset);

// levels[i] = round((x[i] + offset) / scale) held to lowest..highest, minus lowest: always from 0 up. Zero scales give zero values.
void round_levels(const float* x, int n, float scale, float offset, int lowest, int highest, uint8_t* levels);

// sum_i w[i] * (x[i] - y[i])^2, with y[i] what a reader sees of x[i] after `round_levels` with the same arguments.
float rounding_error(const float* x, const float* weights, int n, float scale, float offset, int lowest, int highest);

}  // namespace atelier::quant
