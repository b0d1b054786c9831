#include "atelier/tokenize/word_piece.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {

WordPiece::WordPiece(Vocabulary vocabulary, WordPieceOptions options) : Model(std::move(vocabulary)), options_(std::move(options)) {
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    if (const std::string* token = vocabulary_.token(id)) longest_token_ = std::max(longest_token_, token->size());
  }
}

Status WordPiece::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  const size_t num_before = out.size();
  if (text::count_characters(piece) <= options_.max_input_chars_per_word && cut(piece, out)) return {};
  out.resize(num_before);
  const std::optional<TokenId> unk = vocabulary_.find(options_.unk_token);
  if (!unk) return Status::corrupt("the unknown token " + quoted(options_.unk_token) + " is not in the vocabulary");
  out.push_back({*unk, 0, static_cast<uint32_t>(piece.size())});
  return {};
}

bool WordPiece::cut(std::string_view piece, std::vector<ModelToken>& out) const {
  std::string candidate;
  for (size_t start = 0; start < piece.size();) {
    const std::string_view prefix = start == 0 ? std::string_view() : options_.continuing_subword_prefix;
    candidate.assign(prefix).append(piece, start, longest_token_);
    while (true) {
      if (candidate.size() <= prefix.size()) return false;
      if (const auto id = vocabulary_.find(candidate)) {
        const size_t end = start + candidate.size() - prefix.size();
        out.push_back({*id, static_cast<uint32_t>(start), static_cast<uint32_t>(end)});
        start = end;
        break;
      }
      candidate.resize(text::previous_character(candidate, candidate.size()));
    }
  }
  return true;
}

}  // namespace atelier::tokenize
