// From the rotary divisors that a GGUF file stores ("rope_freqs") back to the method that made them.
#pragma once

#include <optional>

#include "atelier/nn/spec.h"

namespace atelier::convert {

// The llama3 scaling (Llama Team 2024, arXiv:2407.21783) that gives `rope` its divisors: no method, no divisors, when there is none.
// The two thresholds are 1 and 4, as in every published model; the original context is read off a divisor between them.
std::optional<nn::RopeSpec> llama3_rope_of(const nn::RopeSpec& rope);

}  // namespace atelier::convert
