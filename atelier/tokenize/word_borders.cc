#include "atelier/tokenize/word_borders.h"

#include <algorithm>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/model.h"

namespace atelier::tokenize {
namespace {

constexpr char32_t kMetaSpaceCharacter = U'▁';

char32_t character_before(std::string_view text, size_t position) {
  size_t length = 0;
  return text::decode_utf8(text, text::previous_character(text, position), length);
}

}  // namespace

WordBorders::WordBorders(const Vocabulary& vocabulary, bool has_line_end)
    : exists_(vocabulary.find(kMetaSpace).has_value()), line_ends_stand_alone_(exists_ && has_line_end) {
  const std::string line_end_byte = byte_token('\n');
  for (TokenId id = 0; exists_ && id < vocabulary.size(); ++id) {
    const std::string* token = vocabulary.token(id);
    if (token == nullptr) continue;
    const bool holds_line_end = (token->size() > 1 && token->find('\n') != std::string::npos) ||
                                (token->size() > line_end_byte.size() && token->find(line_end_byte) != std::string::npos);
    line_ends_stand_alone_ = line_ends_stand_alone_ && !holds_line_end;
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
  if (line_ends_stand_alone_ && text[from] == '\n') return from + 1;
  for (size_t at = from + 1; at < text.size(); ++at) {
    if (line_ends_stand_alone_ && text[at] == '\n') return at;
    if (text[at] != kMetaSpace[0] || !text.substr(at).starts_with(kMetaSpace)) continue;
    const char32_t before = character_before(text, at);
    const bool may_merge = std::binary_search(no_border_after_.begin(), no_border_after_.end(), before);
    if (before != kMetaSpaceCharacter && !may_merge) return at;
  }
  return text.size();
}

}  // namespace atelier::tokenize
