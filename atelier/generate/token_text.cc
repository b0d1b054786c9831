#include "atelier/generate/token_text.h"

#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"
#include "atelier/tokenize/model.h"

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

std::string TokenText::bytes(int32_t id) const {
  std::string text = (*this)(id);
  if (text.find(text::to_utf8(text::kReplacement)) == std::string::npos) return text;
  const std::string token = tokenizer_.id_to_token(id);
  if (const auto byte = tokenize::parse_byte_token(token)) return std::string(1, static_cast<char>(*byte));
  return tokenize::decode_byte_level(token).value_or(text);
}

}  // namespace atelier::generate
