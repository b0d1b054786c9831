// From a checkpoint's tensors to a decoder's parameters.
//
// Transposed, interleaved and one-less tensors are made on the way, and vectors (norms, biases) become float32. Matrices that products read
// move to memory of their own when the model is to run (models/resident_weights.h); all else stays a view of the mapped file.
#pragma once

#include <optional>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/models/arch.h"
#include "atelier/nn/transformer.h"

namespace atelier::models {

// First row and number of rows of a part among the rows of the stored tensor, and how many rows that has in all.
struct PartRows {
  int64_t begin, count, total;
};
PartRows part_rows(const nn::TransformerSpec& spec, Part part, int64_t whole_rows);

// Where row n of a matrix of heads stands when each rotary pair (i, i + D/2) has become neighbours (2 i, 2 i + 1).
int64_t paired_row(int64_t n, int64_t D);

// Where row n of a parameter of `rows` rows, in Hugging Face's order, stands among the rows of the stored tensor.
int64_t stored_row(const nn::TransformerSpec& spec, const Stored& stored, int64_t rows, int64_t n);

// The entry of `checkpoint` called `name`, also under the prefixes that saved base models and multimodal wrappers use; null if none.
const format::TensorEntry* find_tensor(const format::Checkpoint& checkpoint, const std::string& name);

// `type`: what float matrices that products read become, if they are to run, and whether only those of the blocks do (LoadOptions::type).
Result<nn::TransformerParameters> load_parameters(const ArchDef& arch, Layout layout, const nn::TransformerSpec& spec,
                                                  const format::Checkpoint& checkpoint, bool is_to_run, std::optional<DType> type = {},
                                                  bool is_type_of_blocks = false);

}  // namespace atelier::models
