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

// With `continues_last` the prompt ends with the text of the last message, for an answer that goes on with it. InvalidArgument: that
// message has no text in the prompt.
Result<ChatPrompt> chat_prompt(const tokenize::ChatTemplate& chat_template, const tokenize::Tokenizer& tokenizer,
                               const tokenize::TemplateInput& input, bool continues_last = false);

}  // namespace atelier::generate
