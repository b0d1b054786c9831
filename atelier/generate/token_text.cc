#include "atelier/generate/token_text.h"

namespace atelier::generate {

TokenText::TokenText(const tokenize::Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;
  const auto encoding = tokenizer.encode("a", options);
  if (!encoding.ok() || encoding->ids.empty()) return;
  anchor_ = {encoding->ids.back()};
  const auto text = tokenizer.decode(anchor_, false);
  if (text.ok()) anchor_text_ = *text;
}

std::string TokenText::operator()(int32_t id) const {
  std::vector<int32_t> ids = anchor_;
  ids.push_back(id);
  const auto text = tokenizer_.decode(ids, false);
  if (!text.ok() || !text->starts_with(anchor_text_)) return tokenizer_.id_to_token(id);
  return text->substr(anchor_text_.size());
}

}  // namespace atelier::generate
