// Unigram language model segmentation (Kudo 2018, arXiv:1804.10959): the pieces of highest total log-probability, by Viterbi.
//
// One pass over the text with a trie of the pieces, O(text · longest piece). A character that no piece spells alone may be unknown,
// at the lowest score of the vocabulary minus 10; neighbouring unknown characters become one token.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/tokenize/byte_trie.h"
#include "atelier/tokenize/model.h"

namespace atelier::tokenize {

struct UnigramOptions {
  std::optional<TokenId> unk_id;
  bool byte_fallback = false;     // unknown text as bytes where the vocabulary has all of them
  bool single_precision = false;  // sums of scores in float32, as SentencePiece; Hugging Face sums in float64
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
  struct Node {
    double score = 0;    // of the best path that ends here
    int64_t start = -1;  // where its last token starts; -1: not reached
    TokenId id = 0;
  };
  Unigram(Vocabulary vocabulary, std::vector<double> scores, UnigramOptions options);
  std::vector<Node> find_best_paths(std::string_view piece) const;
  double add(double a, double b) const;
  double score_of(TokenId id, size_t num_characters) const;
  Status append_unknown(std::string_view piece, uint32_t begin, uint32_t end, std::vector<ModelToken>& out) const;

  std::vector<double> scores_;
  UnigramOptions options_;
  double min_score_ = 0, max_score_ = 0;
  ByteTrie trie_;
  std::optional<std::vector<TokenId>> byte_tokens_;
};

}  // namespace atelier::tokenize
