// Correlation of numbers, and how sure a mean is.
#pragma once

#include <span>

namespace atelier::metrics {

// Pearson's correlation of pairs, in [-1, 1]; 0 where one side is constant (SciPy: NaN), as with fewer than two pairs.
// InternalError where lengths differ.
double pearson(std::span<const double> x, std::span<const double> y);

// Pearson's of the ranks; equal numbers share the mean of their ranks.                                        (Spearman 1904)
double spearman(std::span<const double> x, std::span<const double> y);

struct MeanAndError {
  double mean = 0;
  double standard_error = 0;  // s / sqrt(n), s with n - 1 below (Bessel); 0 for a single number
};
MeanAndError mean_and_error(std::span<const double> values);

}  // namespace atelier::metrics
