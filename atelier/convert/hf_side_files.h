// What stands beside the weights in a Hugging Face folder, from a model of either layout.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/models/model.h"

namespace atelier::convert {

// Tokenizer, chat template and generation defaults into `folder`, which exists. A GGUF file without a vocabulary gives no tokenizer; the
// files of a Hugging Face folder are copied.
Status write_hf_side_files(const models::Model& model, const std::string& folder);

// tokenizer.json and tokenizer_config.json of a model of either layout, as text; the second may be empty. Unsupported where the model has
// no tokenizer.json and none can be made.
struct TokenizerFiles {
  std::string tokenizer, config;
};
Result<TokenizerFiles> hf_tokenizer_files(const models::Model& model);

// bos_token_id, eos_token_id and pad_token_id of a GGUF file, set in `config`.
Status set_token_ids(const models::Model& model, Json& config);

}  // namespace atelier::convert
