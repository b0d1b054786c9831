// A tokenizer without its model: from a model, a folder, a GGUF vocabulary, a tokenizer.json or a SentencePiece .model file.
#pragma once

#include <memory>
#include <string>

#include "atelier/base/status.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::cli {

Result<std::unique_ptr<tokenize::Tokenizer>> load_tokenizer(const std::string& model);

}  // namespace atelier::cli
