// Notices a loss that has gone wrong: not a number, or far above the last ones (llm.c's outlier detector).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace atelier::train {

class LossWatch {
 public:
  // A spike is a loss more than `deviations` standard deviations and half again above the mean of the last 128; 0: none is.
  explicit LossWatch(double deviations) : deviations_(deviations) {}

  // Why training has to stop, or nothing. `gradient_norm` must be finite too.
  std::optional<std::string> check(double loss, double gradient_norm);

 private:
  double deviations_;
  std::deque<double> latest_;
};

}  // namespace atelier::train
