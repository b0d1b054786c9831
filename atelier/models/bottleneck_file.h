// Bottleneck adapters in AdapterHub's layout: a folder with adapter_config.json and adapter.safetensors (adapters 1.3.0,
// save_adapter(..., use_safetensors=True)).
//
// Understood are sequential bottlenecks behind the attention and the MLP of blocks with one norm before each sublayer: "seq_bn" (Pfeiffer),
// "double_seq_bn" (Houlsby) and what lies between. Gates, parallel and invertible adapters, norms of their own and phm layers are refused.
#pragma once

#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/format/checkpoint.h"
#include "atelier/models/arch.h"
#include "atelier/nn/transformer.h"

namespace atelier::models {

// `config` is the whole of adapter_config.json. Errors: Unsupported for what is named above, Corrupt where shapes do not fit the model.
Status read_bottlenecks(const ArchDef& arch, const nn::TransformerSpec& spec, const Json& config, const format::Checkpoint& file,
                        nn::Adapter& adapter);

// adapter_config.json of an adapter whose bottlenecks are all alike.
Json bottleneck_config(const ArchDef& arch, const nn::TransformerSpec& spec, const nn::Adapter& adapter, const std::string& base_model);

// A tensor's name in the file and its values.
struct BottleneckTensor {
  std::string name;
  Tensor value;
};
std::vector<BottleneckTensor> bottleneck_tensors(const ArchDef& arch, const nn::Adapter& adapter);

}  // namespace atelier::models
