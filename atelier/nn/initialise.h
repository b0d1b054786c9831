// Weights to start from, as the authors of an architecture draw them.
//
//   matrices and tables   normal, deviation 0.02                                     (GPT-2, Llama, Qwen, Gemma, BLOOM in transformers)
//   what a sublayer adds to the residual (attention.o, mlp.down): deviation 0.02 / sqrt(2 L) where positions are learned
//                                                                                    (GPT-2: Radford et al. 2019, sec. 2.3)
//   norms 1 (their stored form, 1 + w of Gemma included), biases 0
//
// A parameter's values depend on the seed, its name and its shape alone.
#pragma once

#include <cstdint>
#include <string>

#include "atelier/nn/spec.h"
#include "atelier/tensor/tensor.h"

namespace atelier::nn {

// Fills `value` (F32), the parameter called `name` ("layers.0.mlp.down.weight").
void initialise_parameter(const TransformerSpec& spec, const std::string& name, uint64_t seed, Tensor& value);

// The first factor a [R, K] of a low-rank addition: uniform in +- 1 / sqrt(K), as PEFT's Kaiming initialisation. The second starts as zero.
void initialise_low_rank(const std::string& name, uint64_t seed, Tensor& a);

// Normal numbers of mean 0, each a function of (seed, stream, its place); Box and Muller 1958.
void fill_normal(uint64_t seed, uint64_t stream, float deviation, Tensor& value);

}  // namespace atelier::nn
