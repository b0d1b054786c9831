// `atelier merge`: adapters added into the weights of their base, for readers that know no adapters.
//
//   W' = W + sum over the adapters of  weight * scale * B A
//
// computed in float32 on W as the file holds it (unpacked, where it is quantized) and stored in the type that the matrix had: a GGUF file
// gives a GGUF file, a Hugging Face folder a folder. What is lost when W' is packed again is reported: an adapter whose additions are finer
// than the steps of a 4-bit type cannot survive in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/convert/tensor_stream.h"

namespace atelier::convert {

struct AdapterPart {
  std::string folder;  // in PEFT's layout
  float weight = 1;
};

struct MergeOptions {
  std::string type;  // empty: every matrix keeps its type. To GGUF any preset (presets.h), to a folder F32, F16 or BF16
  Progress progress;
};

struct MergeReport {
  int64_t num_merged = 0, num_tensors = 0, bytes = 0;  // matrices that adapters change; all that is written
  // Over the merged matrices: |additions| / |W|, and |W' stored - W'| / |additions|: what packing takes away, 1 being all of it.
  double relative_change = 0, relative_loss = 0;
  std::vector<std::string> notes;
};

// Errors: those of models::load_adapter and of the writers; nothing is left under `target` then.
Result<MergeReport> merge_adapters(const std::string& source, const std::string& target, const std::vector<AdapterPart>& adapters,
                                   const MergeOptions& options);

}  // namespace atelier::convert
