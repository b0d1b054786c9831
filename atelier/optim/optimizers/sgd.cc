// Stochastic gradient descent with momentum.
//
//   g += decay w      b = momentum b + (1 - dampening) g, the first time b = g      w -= lr (nesterov ? g + momentum b : b)
//
// Equals torch.optim.SGD.
#include "atelier/kernels/update.h"
#include "atelier/optim/optimizer.h"

namespace atelier::optim {
namespace {

std::vector<StateInfo> states(const OptimizerOptions&, const Shape& shape) { return {{"momentum_buffer", DType::kF32, shape}}; }

void update(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states) {
  const bool is_dampened = options.momentum != 0 && info.step > 1;
  const kernels::MomentumStep step{.gradient_factor = static_cast<float>(info.gradient_factor),
                                   .decay = static_cast<float>(options.weight_decay),
                                   .momentum = static_cast<float>(options.momentum),
                                   .fresh = is_dampened ? static_cast<float>(1 - options.dampening) : 1.0f,
                                   .rate = static_cast<float>(info.learning_rate),
                                   .is_nesterov = options.is_nesterov};
  kernels::momentum_update(value.f32(), gradient.f32(), states[0].f32(), value.count(), step);
}

}  // namespace

extern const OptimizerDef optimizer_sgd;
const OptimizerDef optimizer_sgd = {"sgd", "gradient descent, with momentum or Nesterov's", "Sutskever et al. 2013; torch.optim.SGD",
                                    states, update};

}  // namespace atelier::optim
