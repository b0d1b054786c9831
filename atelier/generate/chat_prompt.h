// From a conversation to token ids: the model's chat template, then its tokenizer.
//
// Only what the template itself wrote may become special tokens: a message that spells "<|im_end|>" stays text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/tokenize/chat_template.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

struct ChatPrompt {
  std::string text;
  std::vector<int32_t> ids;
};

Result<ChatPrompt> chat_prompt(const tokenize::ChatTemplate& chat_template, const tokenize::Tokenizer& tokenizer,
                               const tokenize::TemplateInput& input);

}  // namespace atelier::generate
