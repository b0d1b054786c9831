// Lion: the sign of an interpolated momentum; half the memory of Adam, and a tenth to a third of its learning rate.
//
//   w = w (1 - lr decay) - lr sign(beta1 m + (1 - beta1) g)      m = beta2 m + (1 - beta2) g
//
// Equals lion-pytorch. Its authors' betas are 0.9 and 0.99.
#include "atelier/kernels/update.h"
#include "atelier/optim/optimizer.h"

namespace atelier::optim {
namespace {

std::vector<StateInfo> states(const OptimizerOptions&, const Shape& shape) { return {{"exp_avg", DType::kF32, shape}}; }

void update(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states) {
  const kernels::LionStep step{.gradient_factor = static_cast<float>(info.gradient_factor),
                               .beta1 = static_cast<float>(options.beta1),
                               .beta2 = static_cast<float>(options.beta2),
                               .keep = static_cast<float>(1 - info.learning_rate * options.weight_decay),
                               .rate = static_cast<float>(info.learning_rate)};
  kernels::lion_update(value.f32(), gradient.f32(), states[0].f32(), value.count(), step);
}

}  // namespace

extern const OptimizerDef optimizer_lion;
const OptimizerDef optimizer_lion = {"lion", "sign of the momentum", "arXiv:2302.06675; lion-pytorch", states, update};

}  // namespace atelier::optim
