#include "atelier/train/loss_watch.h"

#include <fmt/format.h>

#include <cmath>

namespace atelier::train {
namespace {

constexpr size_t kWindow = 128;
constexpr double kLeastRise = 1.5;

// A NaN has a sign, which says nothing.
double shown(double value) { return std::isnan(value) ? std::abs(value) : value; }

}  // namespace

std::optional<std::string> LossWatch::check(double loss, double gradient_norm) {
  if (!std::isfinite(loss)) return fmt::format("the loss is {}; lower the learning rate, or train with model.precision f32", shown(loss));
  if (!std::isfinite(gradient_norm))
    return fmt::format("the gradients' norm is {} at a loss of {:.4f}; lower the learning rate", shown(gradient_norm), loss);
  if (deviations_ > 0 && latest_.size() == kWindow) {
    double sum = 0, squares = 0;
    for (const double value : latest_) {
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kWindow, deviation = std::sqrt(std::max(0.0, squares / kWindow - mean * mean));
    if (loss > mean + deviations_ * deviation && loss > kLeastRise * mean) {
      return fmt::format(
          "the loss is {:.4f}, the last {} were {:.4f} on average; lower the learning rate or look at the data (training.spike_deviations)",
          loss, kWindow, mean);
    }
  }
  latest_.push_back(loss);
  if (latest_.size() > kWindow) latest_.pop_front();
  return std::nullopt;
}

}  // namespace atelier::train
