// What an op needs besides its arguments: where results live and how products are formed.
//
// One forward serves inference and training (docs/adr/0007): ops are called on tensors with a Context. At inference the arena is
// rewound after each layer and step; a training step keeps it until the backward walk has read it.
#pragma once

#include <functional>

#include "atelier/autograd/tape.h"
#include "atelier/kernels/kernels.h"
#include "atelier/tensor/arena.h"

namespace atelier {

// How products of activations and weights are formed (`--dtype`).
enum class Precision : uint8_t {
  kAuto,  // as stored: F32 and F16 weights in float32, BF16 in bfloat16 where the CPU has it, block types with int8 activations
  kF32,   // float32 activations whatever the weights: the exact reference path
  kBF16,  // bfloat16 products for float weights too, where the CPU has it; block types as in kAuto
};

// Told the weight [N, K] and the input [T, K] of every product before it is formed: how convert/ measures which columns matter.
using ProductObserver = std::function<void(const Tensor& weight, const Tensor& x)>;

struct Context {
  Arena& arena;
  Precision precision = Precision::kAuto;
  const ProductObserver* observer = nullptr;
  Tape* tape = nullptr;  // records what is computed, for the backward walk; then ops named ..._inplace make a new tensor
};

// Whether an op records a node: there is a tape and a gradient of one of its inputs is asked for.
template <class... Inputs>
bool is_recorded(const Context& context, const Inputs&... inputs) {
  return context.tape != nullptr && (context.tape->needs_gradient(inputs) || ...);
}

}  // namespace atelier
