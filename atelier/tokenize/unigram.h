// Unigram language model segmentation (Kudo 2018, arXiv:1804.10959): the pieces of highest total log-probability, by Viterbi.
//
// One pass over the text with a trie of the pieces, O(text · longest piece). A character that no piece spells alone may be unknown,
// at the lowest score of the vocabulary minus 10; neighbouring unknown characters become one token.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/tokenize/byte_trie.h"
#include "atelier/tokenize/model.h"

namespace atelier::tokenize {

struct UnigramOptions {
  std::optional<TokenId> unk_id;
  bool byte_fallback = false;  // unknown text as bytes where the vocabulary has all of them
  // Sums of scores in float32, set back to zero where they pass 100,000, as SentencePiece does; Hugging Face sums in float64. On texts of
  // more than 100,000 characters the two choose differently between segmentations that are nearly as good.
  bool single_precision = false;
  // Ids that no text may match (control, unknown, byte and unused pieces of a SentencePiece model); empty: all may.
  std::vector<bool> is_unmatchable;
  // Ids that always win over other segmentations (user-defined pieces); empty: none.
  std::vector<bool> is_user_defined;
};

class Unigram : public Model {
 public:
  // `scores` by id. `name` stands in error messages.
  static Result<std::unique_ptr<Unigram>> create(Vocabulary vocabulary, std::vector<double> scores, UnigramOptions options,
                                                 const std::string& name);

  Status tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  std::string name() const override { return "Unigram"; }

 private:
  // The best path that ends at a byte.
  struct Node {
    uint32_t start = kNotReached;  // where its last token starts
    TokenId id = 0;
  };
  static constexpr uint32_t kNotReached = std::numeric_limits<uint32_t>::max();
  Unigram(Vocabulary vocabulary, std::vector<double> scores, UnigramOptions options);
  template <typename Score>
  std::vector<Node> find_best_paths(std::string_view piece) const;
  template <typename Score>
  Score score_of(TokenId id, size_t num_bytes) const;
  Status append_unknown(std::string_view piece, uint32_t begin, uint32_t end, std::vector<ModelToken>& out) const;

  std::vector<double> scores_;
  UnigramOptions options_;
  double min_score_ = 0;
  ByteTrie trie_;
  std::optional<std::vector<TokenId>> byte_tokens_;
};

}  // namespace atelier::tokenize
