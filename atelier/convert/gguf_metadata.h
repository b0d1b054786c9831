// A spec as GGUF metadata, and the proof that it reads back as the same spec.
#pragma once

#include <vector>

#include "atelier/base/status.h"
#include "atelier/convert/tensor_stream.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/models/arch.h"

namespace atelier::convert {

// Sets general.architecture and the keys under it.
void describe_spec(const models::ArchDef& arch, const nn::TransformerSpec& spec, format::GgufMetadata& metadata);

// Rotary factors that GGUF keeps as tensors: rope_freqs (llama3), rope_factors_short and _long (longrope). Often none.
std::vector<OutputTensor> rope_tensors(const nn::TransformerSpec& spec);

// Reads a file with this metadata and these tensors as a loader would, without writing it. Unsupported with the setting that GGUF, or
// this architecture in GGUF, has no place for.
Status check_reads_back(const models::ArchDef& arch, const nn::TransformerSpec& spec, const format::GgufMetadata& metadata,
                        const std::vector<OutputTensor>& tensors);

}  // namespace atelier::convert
