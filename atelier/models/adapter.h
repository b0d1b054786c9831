// LoRA adapters in PEFT's layout: a folder with adapter_config.json and adapter_model.safetensors.
//
// Understood are LoRA and rank-stabilised LoRA (Kalajdzievski 2023, arXiv:2312.03732) on any linear layers of the blocks, fused ones too,
// with ranks and alphas of their own for single modules. What would compute something else (DoRA, biases, tuned embeddings, whole modules
// saved beside, ...) is refused with its reason.
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
