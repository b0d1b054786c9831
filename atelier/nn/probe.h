// Someone who looks at a forward pass of one document: told what stands between the ops, on the owner thread.
#pragma once

#include "atelier/ops/context.h"

namespace atelier::nn {

class Probe {
 public:
  virtual ~Probe() = default;

  // The residual stream x [T, C], numbered as transformers' hidden_states: state 0 is what the first block reads, state l what block
  // l - 1 left; the last, L, has passed the final norm. What is allocated from the context's arena goes with the layer.
  virtual void state(Context& context, int64_t index, const Tensor& x) = 0;

  // Queries [T, H * D] and keys [T, G * D] of a layer as they meet: after biases, norms and rotary positions.
  virtual void attention(int64_t layer, const kernels::AttentionShape& shape, const Tensor& q, const Tensor& k) = 0;
};

}  // namespace atelier::nn
