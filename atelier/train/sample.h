// A text that the model writes at this moment of its training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/nn/transformer.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::train {

struct SampleOptions {
  std::vector<int32_t> prompt;  // at least one token; the last `context` are read
  int64_t num_tokens = 100;
  int64_t context = 256;                 // tokens that the model sees at most
  std::vector<int32_t> stop_ids;         // which end the text and are not part of it
  double temperature = 1;                // 0: the likeliest token
  const nn::Adapter* adapter = nullptr;  // that learns beside the transformer
  uint64_t seed = 0, stream = 0;         // a token's random number is a function of these and its place
};

// The continuation of the prompt. Keys and values are kept, so that a token costs one row; a text that outgrows the context goes on from
// its later half.
Result<std::string> sample_text(nn::Transformer& transformer, const tokenize::Tokenizer& tokenizer, const SampleOptions& options);

}  // namespace atelier::train
