#include "atelier/generate/chat_prompt.h"

namespace atelier::generate {

Result<ChatPrompt> chat_prompt(const tokenize::ChatTemplate& chat_template, const tokenize::Tokenizer& tokenizer,
                               const tokenize::TemplateInput& input) {
  ATELIER_TRY(tokenize::RenderedChat rendered, chat_template.render(input));
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;  // the template writes its own BOS
  options.trusted = &rendered.trusted;
  ATELIER_TRY(tokenize::Encoding encoding, tokenizer.encode(rendered.text, options));
  return ChatPrompt{std::move(rendered.text), std::move(encoding.ids)};
}

}  // namespace atelier::generate
