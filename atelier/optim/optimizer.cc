#include "atelier/optim/optimizer.h"

#include "atelier/base/error.h"

namespace atelier::optim {

const OptimizerDef* find_optimizer(const std::string& name) {
  for (const OptimizerDef* def : optimizers()) {
    if (name == def->name) return def;
  }
  return nullptr;
}

int64_t state_bytes(const OptimizerDef& def, const OptimizerOptions& options, const Shape& shape) {
  int64_t bytes = 0;
  for (const StateInfo& info : def.states(options, shape)) bytes += row_bytes(info.dtype, info.shape.count());
  return bytes;
}

Optimizer::Optimizer(const OptimizerDef& def, const OptimizerOptions& options, std::vector<Parameter> parameters)
    : def_(def), options_(options), parameters_(std::move(parameters)) {
  states_.reserve(parameters_.size());
  for (const Parameter& parameter : parameters_) {
    if (parameter.value.shape() != parameter.gradient.shape()) {
      throw ShapeError("[optimizer] " + parameter.name + " is " + parameter.value.shape().to_string() + ", its gradient is " +
                       parameter.gradient.shape().to_string());
    }
    std::vector<Tensor> tensors;
    for (const StateInfo& info : def_.states(options_, parameter.value.shape())) tensors.push_back(Tensor::zeros(info.dtype, info.shape));
    states_.push_back(std::move(tensors));
  }
}

void Optimizer::step(double learning_rate, double gradient_factor) {
  const StepInfo info{learning_rate, gradient_factor, ++num_steps_};
  OptimizerOptions without_decay = options_;
  without_decay.weight_decay = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Parameter& parameter = parameters_[i];
    def_.update(parameter.has_decay ? options_ : without_decay, info, parameter.value, parameter.gradient, states_[i]);
  }
}

std::vector<Optimizer::NamedState> Optimizer::states() const {
  std::vector<NamedState> named;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto infos = def_.states(options_, parameters_[i].value.shape());
    for (size_t s = 0; s < infos.size(); ++s) named.push_back({parameters_[i].name + "." + infos[s].name, states_[i][s]});
  }
  return named;
}

}  // namespace atelier::optim
