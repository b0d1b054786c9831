// How well predicted labels fit the expected ones: accuracy, precision, recall, F1 and Matthews' correlation, as scikit-learn counts them.
//
// A rate whose denominator is 0 is 0. Both lists of a call are as long; labels are 0 or more.
// Errors   InternalError where lengths differ or there is nothing to count
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::metrics {

// The part of equal pairs, in [0, 1].
double accuracy(std::span<const int32_t> predicted, std::span<const int32_t> expected);

struct Rates {
  double precision = 0, recall = 0, f1 = 0;  // in [0, 1]
};

// What one class, or one kind of thing that is to be found, comes to.
struct Counts {
  int64_t correct = 0, predicted = 0, expected = 0;

  void operator+=(const Counts& other);
  Rates rates() const;  // f1 = 2 correct / (predicted + expected)
};

// Of each class up to the largest label.
std::vector<Counts> count_classes(std::span<const int32_t> predicted, std::span<const int32_t> expected);

// The rates of class 1 (average="binary").
Rates binary_rates(std::span<const int32_t> predicted, std::span<const int32_t> expected);
// The counts of all classes together; equals accuracy where each text has one label.
Rates micro_rates(std::span<const Counts> classes);
// The mean of the classes' rates; classes that are neither predicted nor expected do not count.
Rates macro_rates(std::span<const Counts> classes);

// The correlation of prediction and truth in [-1, 1], of any number of classes; 0 where one of the two is constant.
//                                                            (Matthews 1975; several classes: Gorodkin 2004, R_K)
double matthews(std::span<const int32_t> predicted, std::span<const int32_t> expected);

}  // namespace atelier::metrics
