#include "atelier/ops/task_losses.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "atelier/base/error.h"
#include "atelier/ops/cross_entropy.h"

namespace atelier::ops {
namespace {

void check_targets(const char* op, const Tensor& x, std::span<const float> targets) {
  if (x.shape().rank() == 2 && std::ssize(targets) == x.count()) return;
  throw ShapeError(std::string("[") + op + "] x is " + x.shape().to_string() + ", targets " + std::to_string(targets.size()));
}

// Sums loss(x, y) over all elements; slope(x, y) is its derivative by x.
template <class Loss, class Slope>
double sum_elements(Context& context, const Tensor& x, std::span<const float> targets, double weight, const Loss& loss,
                    const Slope& slope) {
  double sum = 0;
  for (int64_t i = 0; i < x.count(); ++i)
    sum += loss(static_cast<double>(x.f32()[i]), static_cast<double>(targets[static_cast<size_t>(i)]));
  if (is_recorded(context, x)) {
    Contribution dx(*context.tape, x);
    for (int64_t i = 0; i < x.count(); ++i) {
      const double y = static_cast<double>(targets[static_cast<size_t>(i)]);
      dx.data()[i] = static_cast<float>(weight * slope(static_cast<double>(x.f32()[i]), y));
    }
  }
  return weight * sum;
}

void check_groups(const Tensor& x, std::span<const int64_t> lengths, std::span<const int32_t> chosen) {
  int64_t rows = 0;
  bool fits = x.shape().rank() == 2 && std::ssize(chosen) == std::ssize(lengths) * x.dim(1);
  for (size_t g = 0; fits && g < lengths.size(); ++g) {
    rows += lengths[g];
    for (const int32_t row : chosen.subspan(g * static_cast<size_t>(x.dim(1)), static_cast<size_t>(x.dim(1)))) {
      fits = fits && (row == kIgnoredLabel || (row >= 0 && row < lengths[g]));
    }
  }
  if (fits && rows == x.dim(0)) return;
  throw ShapeError("[group_cross_entropy] x is " + x.shape().to_string() + ", " + std::to_string(lengths.size()) + " groups of " +
                   std::to_string(rows) + " rows, chosen " + std::to_string(chosen.size()) + ", or a chosen row outside its group");
}

// One column of a group: rows `begin` to `begin + count` of x, `stride` apart.
struct Column {
  const float* x;
  float* dx;  // or null
  int64_t count, stride;
};

double column_loss(const Column& column, int32_t chosen, double weight) {
  double largest = column.x[0], sum = 0;
  for (int64_t t = 1; t < column.count; ++t) largest = std::max<double>(largest, column.x[t * column.stride]);
  for (int64_t t = 0; t < column.count; ++t) sum += std::exp(column.x[t * column.stride] - largest);
  for (int64_t t = 0; column.dx != nullptr && t < column.count; ++t) {
    const double p = std::exp(column.x[t * column.stride] - largest) / sum;
    column.dx[t * column.stride] = static_cast<float>(weight * (p - (t == chosen ? 1 : 0)));
  }
  return std::log(sum) + largest - column.x[chosen * column.stride];
}

}  // namespace

double squared_error(Context& context, const Tensor& x, std::span<const float> targets, double weight) {
  check_targets("squared_error", x, targets);
  return sum_elements(
      context, x, targets, weight, [](double z, double y) { return (z - y) * (z - y); }, [](double z, double y) { return 2 * (z - y); });
}

double binary_cross_entropy(Context& context, const Tensor& x, std::span<const float> targets, double weight) {
  check_targets("binary_cross_entropy", x, targets);
  return sum_elements(
      context, x, targets, weight, [](double z, double y) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - y * z; },
      [](double z, double y) { return 1 / (1 + std::exp(-z)) - y; });
}

double group_cross_entropy(Context& context, const Tensor& x, std::span<const int64_t> lengths, std::span<const int32_t> chosen,
                           double weight) {
  check_groups(x, lengths, chosen);
  const int64_t N = x.dim(1);
  std::optional<Contribution> dx;
  if (is_recorded(context, x)) std::memset(dx.emplace(*context.tape, x).data(), 0, static_cast<size_t>(x.num_bytes()));
  double loss = 0;
  int64_t begin = 0;
  for (size_t g = 0; g < lengths.size(); ++g) {
    for (int64_t n = 0; n < N; ++n) {
      const int32_t row = chosen[g * static_cast<size_t>(N) + static_cast<size_t>(n)];
      if (row == kIgnoredLabel) continue;
      const int64_t at = begin * N + n;
      loss += column_loss({x.f32() + at, dx ? dx->data() + at : nullptr, lengths[g], N}, row, weight);
    }
    begin += lengths[g];
  }
  return weight * loss;
}

}  // namespace atelier::ops
