// Clipping by the norm of all gradients together (Pascanu et al. 2013), as torch.nn.utils.clip_grad_norm_ does it.
#pragma once

#include <span>

#include "atelier/optim/optimizer.h"

namespace atelier::optim {

// sqrt of the sum of squares of all gradients, summed in float64 in a fixed order: same bits for any number of threads.
double global_norm(std::span<const Parameter> parameters);

// What gradients are multiplied by: 1, or max_norm / (norm + 1e-6) where the norm is larger. A max_norm of 0 clips nothing.
double clip_factor(double norm, double max_norm);

}  // namespace atelier::optim
