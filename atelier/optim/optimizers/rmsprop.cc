// RMSprop: gradients over their running root mean square.
//
//   g += decay w      v = smoothing v + (1 - smoothing) g^2      w -= lr g / (sqrt(v) + epsilon)
//
// Equals torch.optim.RMSprop without momentum; what DPO's authors trained with.
#include "atelier/kernels/update.h"
#include "atelier/optim/optimizer.h"

namespace atelier::optim {
namespace {

std::vector<StateInfo> states(const OptimizerOptions&, const Shape& shape) { return {{"square_avg", DType::kF32, shape}}; }

void update(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states) {
  const kernels::RmsPropStep step{.gradient_factor = static_cast<float>(info.gradient_factor),
                                  .decay = static_cast<float>(options.weight_decay),
                                  .smoothing = static_cast<float>(options.smoothing),
                                  .rate = static_cast<float>(info.learning_rate),
                                  .epsilon = static_cast<float>(options.epsilon)};
  kernels::rmsprop_update(value.f32(), gradient.f32(), states[0].f32(), value.count(), step);
}

}  // namespace

extern const OptimizerDef optimizer_rmsprop;
const OptimizerDef optimizer_rmsprop = {"rmsprop", "gradients over their running root mean square", "Hinton 2012; torch.optim.RMSprop",
                                        states, update};

}  // namespace atelier::optim
