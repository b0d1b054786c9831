// tokenizer_config.json: which tokens are BOS and EOS, whether they are added, and special tokens that only this file knows.
#pragma once

#include <string>
#include <string_view>

#include "atelier/tokenize/pipeline.h"

namespace atelier::tokenize {

// Completes `parts` from the text of a tokenizer_config.json (empty: there is none), as transformers 5 does: named special tokens
// and `added_tokens_decoder` join the added tokens; where `add_bos_token` or `add_eos_token` is stated, or there is no
// post-processor, BOS and EOS around the text replace it.
Status apply_tokenizer_config(std::string_view config_json, const std::string& name, PipelineParts& parts);

}  // namespace atelier::tokenize
