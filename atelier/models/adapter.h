// Adapters in PEFT's layout: a folder with adapter_config.json and adapter_model.safetensors, or a training run's folder that holds one;
// bottlenecks in AdapterHub's (bottleneck_file.h); and biases.safetensors, biases by the names that the model's checkpoints have for them.
//
// Understood are LoRA, rank-stabilised LoRA (Kalajdzievski 2023, arXiv:2312.03732) and DoRA on any linear layers of the blocks, fused ones
// too, with ranks and alphas of their own for single modules; LoRA of the embedding; embeddings and heads that were trained whole; (IA)^3;
// prompt tuning and prefix tuning. What would compute something else (biases beside LoRA, aLoRA, ...) is refused with its
// reason.
#pragma once

#include <memory>
#include <string>

#include "atelier/models/model.h"
#include "atelier/nn/adapter.h"

namespace atelier::models {

// The adapter in `folder`, its rows in the order of `model`'s. Errors: Unsupported for what is named above, Corrupt where shapes do not fit
// the model or a tensor belongs to none of its linear layers.
Result<std::shared_ptr<const nn::Adapter>> load_adapter(const Model& model, const std::string& folder);

}  // namespace atelier::models
