// Writes safetensors checkpoints: headers first, then each tensor's bytes as they come, in one file or in shards with an index.
//
// The files appear under their names when finish() succeeds, the index last.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"

namespace atelier::format {

// The data type as safetensors spells it ("F32", "BF16"), or an error for the block formats of GGUF, which it cannot hold.
Result<std::string> safetensors_dtype_name(DType dtype);

struct SafetensorsOptions {
  int64_t shard_bytes = 5'000'000'000;                               // a new file begins when the next tensor would pass this
  std::string stem = "model";                                        // of the files' names
  std::map<std::string, std::string> metadata = {{"format", "pt"}};  // transformers asks for "format"
};

// Starts a checkpoint in `folder` (which must exist): model.safetensors, or model-00001-of-0000N.safetensors with
// model.safetensors.index.json when the tensors need several files. Tensors come in the order of `tensors`.
Result<std::unique_ptr<CheckpointWriter>> create_safetensors(const std::string& folder, std::vector<TensorInfo> tensors,
                                                             const SafetensorsOptions& options = {});

}  // namespace atelier::format
