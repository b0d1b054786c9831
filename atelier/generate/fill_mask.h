// The likeliest tokens where a text has a mask, by an encoder that was trained to say them.
#pragma once

#include <string>
#include <vector>

#include "atelier/generate/logprobs.h"
#include "atelier/models/encoder_input.h"

namespace atelier::generate {

// A text with masks, "<mask>" or "[MASK]" whatever the model's own spelling is, as the model reads it.
struct MaskedInput {
  models::EncoderInput input;
  std::vector<int64_t> rows;  // where the masks stand
};
// Of any thread. Errors: a model without a head for masked tokens or without a mask (Unsupported), a text without one, one that is too
// long.
Result<MaskedInput> masked_input(const models::Model& model, const std::string& text);

struct FilledMask {
  int64_t position;               // of the token
  std::vector<TokenLogprob> top;  // likeliest first
};
// Of the owner thread.
Result<std::vector<FilledMask>> fill_masks(models::Model& model, const MaskedInput& masked, int num_top);

}  // namespace atelier::generate
