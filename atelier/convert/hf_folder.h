// A model written as a Hugging Face folder: config.json and safetensors, which chat, generate and transformers read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/convert/relayout.h"

namespace atelier::convert {

struct HfFolderOptions {
  DType type = DType::kF32;  // F32, F16 or BF16, of every tensor
  int64_t shard_bytes = 5'000'000'000;
  Json settings = Json::object();  // more of config.json: bos_token_id, eos_token_id, pad_token_id
  Progress progress;
};

// One type for all tensors of a folder: as asked ("F16"), that of the matrices when they share a float type, else F32. InvalidArgument for
// what a folder cannot hold.
Result<DType> choose_folder_type(const std::string& asked, const std::vector<OutputTensor>& tensors);

// The tensors as model.safetensors, or shards with an index, in `folder`, which exists. What stood there under these names is replaced
// when all is written.
Status write_hf_weights(std::vector<OutputTensor> tensors, const std::string& folder, const HfFolderOptions& options);

// The weights and config.json. Unsupported where transformers' configuration has no place for a setting of the spec.
Status write_hf_model(const std::shared_ptr<const ModelWeights>& model, const std::string& folder, const HfFolderOptions& options = {});

}  // namespace atelier::convert
