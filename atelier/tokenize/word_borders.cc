#include "atelier/tokenize/word_borders.h"

#include <algorithm>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

constexpr char32_t kMetaSpaceCharacter = U'▁';
constexpr size_t kMetaSpaceBytes = std::string_view(kMetaSpace).size();

char32_t character_before(std::string_view text, size_t position) {
  size_t length = 0;
  return text::decode_utf8(text, text::previous_character(text, position), length);
}

}  // namespace

WordBorders::WordBorders(const Vocabulary& vocabulary) : exists_(vocabulary.find(kMetaSpace).has_value()) {
  for (TokenId id = 0; exists_ && id < vocabulary.size(); ++id) {
    const std::string* token = vocabulary.token(id);
    if (token == nullptr) continue;
    for (size_t at = token->find(kMetaSpace, 1); at != std::string::npos; at = token->find(kMetaSpace, at + 1)) {
      const char32_t before = character_before(*token, at);
      if (before != kMetaSpaceCharacter) no_border_after_.push_back(before);
    }
  }
  std::sort(no_border_after_.begin(), no_border_after_.end());
  no_border_after_.erase(std::unique(no_border_after_.begin(), no_border_after_.end()), no_border_after_.end());
}

size_t WordBorders::next(std::string_view text, size_t from) const {
  if (!exists_) return text.size();
  for (size_t at = text.find(kMetaSpace, from + 1); at != std::string_view::npos; at = text.find(kMetaSpace, at + kMetaSpaceBytes)) {
    const char32_t before = character_before(text, at);
    const bool is_border = before != kMetaSpaceCharacter && !std::binary_search(no_border_after_.begin(), no_border_after_.end(), before);
    if (is_border) return at;
  }
  return text.size();
}

}  // namespace atelier::tokenize
