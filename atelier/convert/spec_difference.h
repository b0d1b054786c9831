// Comparing two specs: how a writer proves that its target can express a model, by reading back what it is about to write.
#pragma once

#include <string>

#include "atelier/nn/spec.h"

namespace atelier::convert {

// Empty when both compute the same function; else the first setting that differs: "window of layer 0 is 5, target gives 0".
// The order of rotary rows does not count, nor do settings without effect (a rotary factor where nothing is scaled).
std::string first_difference(const nn::TransformerSpec& source, const nn::TransformerSpec& target);

}  // namespace atelier::convert
