// A text that the model writes at this moment of its training.
#pragma once

#include <cstdint>
#include <string>

#include "atelier/base/status.h"
#include "atelier/models/trainable.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::train {

struct SampleOptions {
  std::string prompt;
  int64_t num_tokens = 100;
  int64_t context = 256;   // tokens that the model sees
  double temperature = 1;  // 0: the likeliest token
  uint64_t seed = 0, step = 0;
};

// The continuation of the prompt, until the end token or num_tokens. Every token is computed from the whole window: short texts only.
Result<std::string> sample_text(models::TrainableModel& model, const tokenize::Tokenizer& tokenizer, const SampleOptions& options);

}  // namespace atelier::train
