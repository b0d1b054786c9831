// What stands beside the weights: tokenizer, chat template, generation defaults; in a Hugging Face folder or inside a GGUF file.
#pragma once

#include <memory>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/format/gguf.h"
#include "atelier/models/model.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::models {

struct SideFiles {
  Result<std::unique_ptr<tokenize::Tokenizer>> tokenizer = Status::not_found("this model has no tokenizer");
  std::string chat_template;  // source, or empty
  GenerationDefaults defaults;
};

// `config` is the folder's config.json. A broken tokenizer is reported in `tokenizer`; other broken files are errors.
Result<SideFiles> hf_side_files(const std::string& folder, const Json& config);
Result<SideFiles> gguf_side_files(const format::Gguf& file);

// The vocabulary that GGUF metadata states.
Result<tokenize::GgufVocabulary> gguf_vocabulary(const format::Gguf& file);

}  // namespace atelier::models
