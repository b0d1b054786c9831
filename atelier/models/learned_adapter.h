// A new adapter that is to be trained, drawn so that the start is the base: nothing is added, scales are 1, lengths are the weights' own.
// Virtual tokens alone change what is computed from the first step on.
#pragma once

#include "atelier/models/adapter_options.h"
#include "atelier/models/arch.h"
#include "atelier/nn/transformer.h"

namespace atelier::models {

// Errors: InvalidArgument for a target or block that the model lacks, and for what its architecture cannot take.
Result<nn::Adapter> new_adapter(const ArchDef& arch, const nn::TransformerSpec& spec, const nn::TransformerParameters& weights,
                                const LoraOptions& lora, const AdapterOptions& options, uint64_t seed);

// Of every linear layer with a magnitude: the gain that it stands for, from the weights and low-rank matrices as they are.
void compute_gains(const nn::TransformerParameters& weights, nn::Adapter& adapter);

}  // namespace atelier::models
