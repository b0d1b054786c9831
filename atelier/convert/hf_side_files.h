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

// bos_token_id, eos_token_id and pad_token_id of a GGUF file, set in `config`.
Status set_token_ids(const models::Model& model, Json& config);

}  // namespace atelier::convert
