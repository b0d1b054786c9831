// Measures an importance matrix: runs a model over a text and gathers the mean square of every column of every matrix's input.
#pragma once

#include <cstdint>
#include <string_view>

#include "atelier/base/status.h"
#include "atelier/convert/importance.h"
#include "atelier/convert/tensor_stream.h"
#include "atelier/models/model.h"

namespace atelier::convert {

struct MeasureOptions {
  int64_t context = 512;    // the text is read in windows of this many tokens, each on its own
  int64_t max_windows = 0;  // stop after so many; 0: the whole text
  Progress progress;        // tokens done, tokens in all
};

// The activations are those of the model as it is stored, with f32 activations. BOS starts each window where the model adds one; what
// is left over after the last whole window is not read. Errors: no tokenizer; a text shorter than a window.
Result<ImportanceMatrix> measure_importance(const models::Model& model, std::string_view text, const MeasureOptions& options);

}  // namespace atelier::convert
