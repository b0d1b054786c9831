#include "atelier/generate/chat_prompt.h"

#include <algorithm>

namespace atelier::generate {
namespace {

// Cuts what the template wrote behind the last message's text.
Status cut_after_last_message(const Json& messages, tokenize::RenderedChat& rendered) {
  const std::string path = "messages[" + std::to_string(messages.as_array().size() - 1) + "].content";
  size_t end = 0;
  for (const auto& origin : rendered.origins) {
    if (origin.path.starts_with(path)) end = origin.end;
  }
  if (end == 0) return Status::invalid("messages: the last one has no text that an answer could go on with; give it some");
  rendered.text.resize(end);
  std::erase_if(rendered.trusted, [&](const auto& range) { return range.first >= end; });
  for (auto& range : rendered.trusted) range.second = std::min(range.second, end);
  return {};
}

}  // namespace

Result<ChatPrompt> chat_prompt(const tokenize::ChatTemplate& chat_template, const tokenize::Tokenizer& tokenizer,
                               const tokenize::TemplateInput& input, bool continues_last) {
  ATELIER_TRY(tokenize::RenderedChat rendered, chat_template.render(input));
  if (continues_last) ATELIER_RETURN_IF_ERROR(cut_after_last_message(input.messages, rendered));
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;  // the template writes its own BOS
  options.trusted = &rendered.trusted;
  ATELIER_TRY(tokenize::Encoding encoding, tokenizer.encode(rendered.text, options));
  return ChatPrompt{std::move(rendered.text), std::move(encoding.ids)};
}

}  // namespace atelier::generate
