// What has learned beside a model, saved as others read it.
//
//   LoRA, DoRA, (IA)^3, prompts, prefixes   PEFT's layout: adapter_config.json and adapter_model.safetensors
//   bottlenecks                             AdapterHub's: adapter_config.json and adapter.safetensors
//   BitFit                                  biases.safetensors: the biases, by the names that the model's checkpoints have for them
//
// Where an architecture stores several parameters as one module (GPT-2's c_attn, Phi-3's qkv_proj, BLOOM's query_key_value), PEFT knows one
// pair of matrices for it. Ours are a pair a parameter: their A stand one below the other, their B on a block diagonal, and the module gets
// the sum of the ranks, with an alpha that keeps the scale.
#pragma once

#include <string>

#include "atelier/models/trainable.h"

namespace atelier::models {

struct SavedAdapter {
  std::string base_model;    // base_model_name_or_path
  DType type = DType::kF32;  // F32, F16 or BF16
};

// Writes into `folder`, which exists. InvalidArgument when all of the model is trained.
Status save_adapter(TrainableModel& model, const SavedAdapter& options, const std::string& folder);

}  // namespace atelier::models
