#include "atelier/tokenize/added_tokens.h"

#include <algorithm>

#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

bool has_word_character_before(std::string_view text, size_t position) {
  if (position == 0) return false;
  size_t length = 0;
  return text::is_word(text::decode_utf8(text, text::previous_character(text, position), length));
}

bool has_word_character_after(std::string_view text, size_t position) {
  size_t length = 0;
  return position < text.size() && text::is_word(text::decode_utf8(text, position, length));
}

size_t skip_space_backward(std::string_view text, size_t position, size_t limit) {
  while (position > limit) {
    const size_t before = text::previous_character(text, position);
    size_t length = 0;
    if (!text::is_white_space(text::decode_utf8(text, before, length))) break;
    position = before;
  }
  return std::max(position, limit);
}

size_t skip_space_forward(std::string_view text, size_t position) {
  while (position < text.size()) {
    size_t length = 0;
    if (!text::is_white_space(text::decode_utf8(text, position, length))) break;
    position += length;
  }
  return position;
}

}  // namespace

TokenMatcher::TokenMatcher(const std::vector<Entry>& entries) {
  std::vector<std::pair<std::string_view, int32_t>> spellings;
  for (const Entry& entry : entries) {
    spellings.emplace_back(entry.spelling, static_cast<int32_t>(tokens_.size()));
    tokens_.push_back(entry.token);
    first_bytes_.set(static_cast<unsigned char>(entry.spelling[0]));
  }
  trie_ = ByteTrie(std::move(spellings));
  if (first_bytes_.count() == 1) only_first_byte_ = entries[0].spelling[0];
}

// The first position from `from` on where a token may begin, or text.size().
size_t TokenMatcher::next_candidate(std::string_view text, size_t from) const {
  if (empty()) return text.size();
  if (only_first_byte_) return std::min(text.find(*only_first_byte_, from), text.size());
  while (from < text.size() && !first_bytes_[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

const AddedToken* TokenMatcher::longest_at(std::string_view text, size_t begin, size_t& end) const {
  const AddedToken* longest = nullptr;
  ByteTrie::Node node = ByteTrie::kRoot;
  for (size_t i = begin; i < text.size(); ++i) {
    node = trie_.step(node, static_cast<unsigned char>(text[i]));
    if (node == ByteTrie::kRoot) break;
    if (trie_.value(node) == ByteTrie::kNoValue) continue;
    longest = tokens_[static_cast<size_t>(trie_.value(node))];
    end = i + 1;
  }
  return longest;
}

void TokenMatcher::split(std::string_view text, FunctionRef<bool(const AddedToken&, Span)> counts, std::vector<TextPart>& parts) const {
  const auto span = [](size_t begin, size_t end) { return Span{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}; };
  size_t done = 0;
  for (size_t i = next_candidate(text, 0); i < text.size(); i = next_candidate(text, i)) {
    size_t end = i + 1;
    const AddedToken* token = longest_at(text, i, end);
    size_t begin = i;
    i = end;
    if (token == nullptr || !counts(*token, span(begin, end))) continue;
    if (token->single_word && (has_word_character_before(text, begin) || has_word_character_after(text, end))) continue;
    if (token->lstrip) begin = skip_space_backward(text, begin, done);
    if (token->rstrip) end = skip_space_forward(text, end);
    if (done < begin) parts.push_back({span(done, begin), nullptr});
    parts.push_back({span(begin, end), token});
    done = end;
  }
  if (done < text.size()) parts.push_back({span(done, text.size()), nullptr});
}

}  // namespace atelier::tokenize
