// AdamW: Adam with decay of the weights themselves, not of the gradients.
//
//   m = beta1 m + (1 - beta1) g      v = beta2 v + (1 - beta2) g^2
//   w = w (1 - lr decay) - lr m_hat / (sqrt(v_hat) + epsilon)          m_hat, v_hat: divided by 1 - beta^step
//
// Equals torch.optim.AdamW; with the TensorFlow epsilon and without bias correction BERT's optimizer.
#include "atelier/optim/optimizer.h"
#include "atelier/optim/optimizers/adam_step.h"

namespace atelier::optim {
namespace {

std::vector<StateInfo> states(const OptimizerOptions&, const Shape& shape) {
  return {{"exp_avg", DType::kF32, shape}, {"exp_avg_sq", DType::kF32, shape}};
}

void update(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states) {
  kernels::adam_update(value.f32(), gradient.f32(), states[0].f32(), states[1].f32(), value.count(), adam_step(options, info));
}

}  // namespace

extern const OptimizerDef optimizer_adamw;
const OptimizerDef optimizer_adamw = {"adamw", "Adam with decoupled weight decay", "arXiv:1711.05101; torch.optim.AdamW", states, update};

}  // namespace atelier::optim
