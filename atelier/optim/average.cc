#include "atelier/optim/average.h"

#include <algorithm>

#include "atelier/kernels/update.h"

namespace atelier::optim {

WeightAverage::WeightAverage(std::span<const Parameter> parameters) {
  for (const Parameter& parameter : parameters) {
    Tensor copy = Tensor::zeros(DType::kF32, parameter.value.shape());
    std::copy_n(parameter.value.f32(), parameter.value.count(), copy.f32());
    averages_.push_back(std::move(copy));
  }
}

void WeightAverage::update(std::span<const Parameter> parameters, double share) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    kernels::average_update(averages_[i].f32(), parameters[i].value.f32(), averages_[i].count(), static_cast<float>(share));
  }
}

void WeightAverage::swap_with(std::span<const Parameter> parameters) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    Tensor value = parameters[i].value;  // a view of the same memory
    std::swap_ranges(averages_[i].f32(), averages_[i].f32() + averages_[i].count(), value.f32());
  }
}

}  // namespace atelier::optim
