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

auto find_edge(auto& edges, unsigned char byte) {
  return std::lower_bound(edges.begin(), edges.end(), byte, [](const auto& edge, unsigned char b) { return edge.first < b; });
}

}  // namespace

void TokenMatcher::add(std::string_view spelling, const AddedToken* token) {
  uint32_t at = 0;
  for (const char c : spelling) {
    const auto byte = static_cast<unsigned char>(c);
    const auto edge = find_edge(nodes_[at].next, byte);
    if (edge != nodes_[at].next.end() && edge->first == byte) {
      at = edge->second;
      continue;
    }
    const auto fresh = static_cast<uint32_t>(nodes_.size());
    nodes_[at].next.insert(edge, {byte, fresh});
    if (at == 0) first_[byte] = fresh;
    nodes_.emplace_back();
    at = fresh;
  }
  nodes_[at].token = token;
}

const AddedToken* TokenMatcher::longest_at(std::string_view text, size_t begin, size_t& end) const {
  const AddedToken* longest = nullptr;
  uint32_t at = first_[static_cast<unsigned char>(text[begin])];
  for (size_t i = begin + 1; at != 0; ++i) {
    if (nodes_[at].token != nullptr) {
      longest = nodes_[at].token;
      end = i;
    }
    if (i >= text.size()) break;
    const auto edge = find_edge(nodes_[at].next, static_cast<unsigned char>(text[i]));
    at = edge != nodes_[at].next.end() && edge->first == static_cast<unsigned char>(text[i]) ? edge->second : 0;
  }
  return longest;
}

void TokenMatcher::split(std::string_view text, FunctionRef<bool(const AddedToken&, Span)> counts, std::vector<TextPart>& parts) const {
  const auto span = [](size_t begin, size_t end) { return Span{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}; };
  size_t done = 0;
  for (size_t i = 0; i < text.size() && !empty();) {
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
