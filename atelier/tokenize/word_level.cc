#include "atelier/tokenize/word_level.h"

#include "atelier/base/strings.h"

namespace atelier::tokenize {

Status WordLevel::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  std::optional<TokenId> id = vocabulary_.find(piece);
  if (!id) id = vocabulary_.find(unk_token_);
  if (!id) return Status::corrupt("the unknown token " + quoted(unk_token_) + " is not in the vocabulary");
  out.push_back({*id, 0, static_cast<uint32_t>(piece.size())});
  return {};
}

}  // namespace atelier::tokenize
