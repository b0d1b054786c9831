// Averages of weights, which often evaluate better than the last ones.
//
//   exponential   average += (w - average) (1 - decay) after each step        (Polyak; Marian's --exponential-smoothing is 1 - decay)
//   of snapshots  the mean of the last n checkpoints' weights                  (Vaswani et al. 2017, section 6.1)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atelier/optim/optimizer.h"

namespace atelier::optim {

class WeightAverage {
 public:
  // Starts at the weights' present values.
  explicit WeightAverage(std::span<const Parameter> parameters);

  // Moves by (w - average) * share: share = 1 - decay for an exponential average, 1 / n for the mean, with the n-th snapshot.
  void update(std::span<const Parameter> parameters, double share);

  // Exchanges the averages with the weights; a second call undoes it. For evaluating, and for saving the averaged model.
  void swap_with(std::span<const Parameter> parameters);

  std::span<const Tensor> tensors() const { return averages_; }  // in the parameters' order; a checkpoint reads and fills them

 private:
  std::vector<Tensor> averages_;
};

}  // namespace atelier::optim
