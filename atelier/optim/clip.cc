#include "atelier/optim/clip.h"

#include <algorithm>
#include <cmath>

#include "atelier/kernels/update.h"

namespace atelier::optim {

double global_norm(std::span<const Parameter> parameters) {
  double squares = 0;
  for (const Parameter& parameter : parameters) squares += kernels::sum_of_squares(parameter.gradient.f32(), parameter.gradient.count());
  return std::sqrt(squares);
}

double clip_factor(double norm, double max_norm) { return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1; }

}  // namespace atelier::optim
