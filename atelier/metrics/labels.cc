#include "atelier/metrics/labels.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/error.h"

namespace atelier::metrics {
namespace {

using Labels = std::span<const int32_t>;

void check(Labels predicted, Labels expected) {
  ATELIER_CHECK(predicted.size() == expected.size() && !expected.empty());
  ATELIER_CHECK(*std::ranges::min_element(predicted) >= 0 && *std::ranges::min_element(expected) >= 0);
}

double ratio(int64_t part, int64_t whole) { return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0; }

}  // namespace

double accuracy(Labels predicted, Labels expected) {
  check(predicted, expected);
  int64_t equal = 0;
  for (size_t i = 0; i < expected.size(); ++i) equal += predicted[i] == expected[i];
  return ratio(equal, std::ssize(expected));
}

void Counts::operator+=(const Counts& other) {
  correct += other.correct;
  predicted += other.predicted;
  expected += other.expected;
}

Rates Counts::rates() const { return {ratio(correct, predicted), ratio(correct, expected), ratio(2 * correct, predicted + expected)}; }

std::vector<Counts> count_classes(Labels predicted, Labels expected) {
  check(predicted, expected);
  const int32_t largest = std::max(*std::ranges::max_element(predicted), *std::ranges::max_element(expected));
  std::vector<Counts> classes(static_cast<size_t>(largest) + 1);
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto found = static_cast<size_t>(predicted[i]), wanted = static_cast<size_t>(expected[i]);
    ++classes[found].predicted;
    ++classes[wanted].expected;
    if (found == wanted) ++classes[wanted].correct;
  }
  return classes;
}

Rates binary_rates(Labels predicted, Labels expected) {
  const std::vector<Counts> classes = count_classes(predicted, expected);
  return classes.size() > 1 ? classes[1].rates() : Rates{};
}

Rates micro_rates(std::span<const Counts> classes) {
  Counts all;
  for (const Counts& counts : classes) all += counts;
  return all.rates();
}

Rates macro_rates(std::span<const Counts> classes) {
  Rates sum;
  int64_t present = 0;
  for (const Counts& counts : classes) {
    if (counts.predicted == 0 && counts.expected == 0) continue;
    const Rates rates = counts.rates();
    sum.precision += rates.precision;
    sum.recall += rates.recall;
    sum.f1 += rates.f1;
    ++present;
  }
  if (present == 0) return sum;
  const auto n = static_cast<double>(present);
  return {sum.precision / n, sum.recall / n, sum.f1 / n};
}

double matthews(Labels predicted, Labels expected) {
  // With c correct of s, p_k predicted and t_k expected: (c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)).
  double correct = 0, products = 0, predicted_squares = 0, expected_squares = 0;
  for (const Counts& counts : count_classes(predicted, expected)) {
    const auto p = static_cast<double>(counts.predicted), t = static_cast<double>(counts.expected);
    correct += static_cast<double>(counts.correct);
    products += p * t;
    predicted_squares += p * p;
    expected_squares += t * t;
  }
  const auto s = static_cast<double>(expected.size());
  const double spread = (s * s - predicted_squares) * (s * s - expected_squares);
  return spread > 0 ? (correct * s - products) / std::sqrt(spread) : 0;
}

}  // namespace atelier::metrics
