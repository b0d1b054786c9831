// What AdamW with float32 and with 8-bit moments have in common.
#pragma once

#include <cmath>

#include "atelier/kernels/update.h"
#include "atelier/optim/optimizer.h"

namespace atelier::optim {

// Bias correction, epsilon's place and decay folded into the factors of one pass.
//   correction_i = 1 - beta_i^step, or 1 without bias correction
//   PyTorch      w -= rate / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
//   TensorFlow   w -= rate * sqrt(correction2) / correction1 * m / (sqrt(v) + epsilon)
inline kernels::AdamStep adam_step(const OptimizerOptions& options, const StepInfo& info) {
  const auto n = static_cast<double>(info.step);
  const double correction1 = options.has_bias_correction ? 1 - std::pow(options.beta1, n) : 1;
  const double root2 = options.has_bias_correction ? std::sqrt(1 - std::pow(options.beta2, n)) : 1;
  const bool is_pytorch = options.epsilon_kind == EpsilonKind::kPyTorch;
  return {.gradient_factor = static_cast<float>(info.gradient_factor),
          .beta1 = static_cast<float>(options.beta1),
          .beta2 = static_cast<float>(options.beta2),
          .keep = static_cast<float>(1 - info.learning_rate * options.weight_decay),
          .rate = static_cast<float>(info.learning_rate * (is_pytorch ? 1 : root2) / correction1),
          .root_factor = static_cast<float>(is_pytorch ? 1 / root2 : 1),
          .epsilon = static_cast<float>(options.epsilon)};
}

}  // namespace atelier::optim
