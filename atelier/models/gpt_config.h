// What GPT-1 and GPT-2 share: n_embd, n_layer, n_head …; LayerNorm, learned positions, biases everywhere, a tied head.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/nn/spec.h"

namespace atelier::models {

// The parts that both have, whatever the sizes.
void set_gpt_parts(nn::TransformerSpec& spec);

// Sizes of config.json, with the parts set.
Result<nn::TransformerSpec> hf_gpt_shape(const Json& config, const std::string& architecture);

}  // namespace atelier::models
