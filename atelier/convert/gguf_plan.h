// What a GGUF file of a model will hold: metadata and tensors, before their types are chosen.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/convert/presets.h"
#include "atelier/convert/tensor_stream.h"
#include "atelier/format/gguf_writer.h"

namespace atelier::convert {

struct GgufPlan {
  format::GgufMetadata metadata;      // without file type
  std::vector<OutputTensor> tensors;  // in the types of the source; vectors and learned positions of a folder as F32
  ModelFacts facts;
  std::optional<uint32_t> file_type;  // general.file_type of a GGUF source
  std::vector<std::string> notes;     // what a user should know, one line each
  std::shared_ptr<const void> owner;  // keeps the source mapped
};

// The plan of a GGUF file (its own metadata and tensors), or of a Hugging Face folder (renamed and reordered). Errors: what GGUF, or
// llama.cpp's definition of the architecture, cannot express.
Result<GgufPlan> plan_gguf(const std::string& source);

}  // namespace atelier::convert
