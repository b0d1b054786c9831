// `atelier convert`: a model from one layout to the other.
//
//   Hugging Face folder -> GGUF     names, order of rotary rows and norms as llama.cpp wants them; tokenizer and chat template inside
//   GGUF -> Hugging Face folder     model.safetensors (or shards), config.json, tokenizer.json, tokenizer_config.json,
//                                   generation_config.json, chat_template.jinja
//
// What the target cannot express is refused before anything is written, with the reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/convert/tensor_stream.h"

namespace atelier::convert {

struct ConvertOptions {
  // Empty: the types of the source, block types as F32 in a folder. To GGUF any preset (presets.h), to a folder F32, F16 or BF16.
  std::string type;
  int64_t shard_bytes = 5'000'000'000;  // a folder's weights are split into files of at most this size
  Progress progress;
};

struct ConvertReport {
  int64_t num_tensors = 0, bytes = 0;  // written
  std::vector<std::string> notes;      // what a user should know, one line each
};

// The direction follows from `source` (a folder, or a GGUF file); `target` is the other.
Result<ConvertReport> convert_model(const std::string& source, const std::string& target, const ConvertOptions& options);

}  // namespace atelier::convert
