// Byte-pair encoding without a list of merges: two neighbours may merge when their concatenation is a token, and that token's rank
// is the merge's. SentencePiece's BPE (rank by falling score) and tiktoken (rank = id) work this way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/tokenize/merge_symbols.h"
#include "atelier/tokenize/model.h"
#include "atelier/tokenize/word_borders.h"

namespace atelier::tokenize {

struct ConcatBpeOptions {
  std::optional<TokenId> unk_id;    // for runs of characters that no token spells; none: they are an error
  bool byte_fallback = false;       // … as bytes instead, where the vocabulary has all of them
  bool takes_whole_pieces = false;  // a piece that is a token is taken without merging (tiktoken)
  // Ids that no text may form (control, unknown and byte tokens); empty: all may.
  std::vector<bool> is_unmatchable;
  // Ids that merge but are taken apart again in the result (SentencePiece's UNUSED pieces); empty: none.
  std::vector<bool> is_unused;
};

class ConcatBpe : public Model {
 public:
  // `ranks` by id, the lowest merges first.
  ConcatBpe(Vocabulary vocabulary, std::vector<uint32_t> ranks, ConcatBpeOptions options);

  // Ranks from scores: the highest score first, equal scores equal.
  static std::vector<uint32_t> ranks_of_scores(const std::vector<float>& scores);

  Status tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  size_t next_cut(std::string_view piece, size_t from) const override { return borders_.next(piece, from); }
  std::string name() const override { return "BPE"; }

 private:
  struct SplitPoint {
    uint32_t begin, middle, end;
  };
  std::optional<TokenId> find(std::string_view spelling) const;
  void append(std::string_view piece, const Symbol& symbol, const std::vector<SplitPoint>& splits, std::vector<ModelToken>& out) const;
  Status resolve_unknown(std::string_view piece, size_t num_before, std::vector<ModelToken>& out) const;

  std::vector<uint32_t> ranks_;
  ConcatBpeOptions options_;
  size_t longest_token_ = 0;  // bytes
  std::optional<std::vector<TokenId>> byte_tokens_;
  WordBorders borders_;
};

}  // namespace atelier::tokenize
