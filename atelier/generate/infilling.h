// What stands between two texts, asked of a model that was trained to fill in there (Bavarian et al. 2022, arXiv:2207.14255): the text
// before, then the text behind, then the sign after which the model writes what was between.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

// The prompt in the signs of the model's family: Qwen2.5-Coder, StarCoder, DeepSeek-Coder, Code Llama. Unsupported: a vocabulary without
// any of them. The texts themselves form no special tokens.
Result<std::vector<int32_t>> infilling_prompt(const tokenize::Tokenizer& tokenizer, const std::string& before, const std::string& behind);

}  // namespace atelier::generate
