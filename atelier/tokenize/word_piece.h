// WordPiece (Wu et al. 2016, arXiv:1609.08144): greedy longest match from the left; pieces inside a word carry a prefix ("##ing").
#pragma once

#include <memory>
#include <string>

#include "atelier/tokenize/model.h"

namespace atelier::tokenize {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";  // stands for a whole word that cannot be cut
  std::string continuing_subword_prefix = "##";
  size_t max_input_chars_per_word = 100;  // longer words are unknown
};

class WordPiece : public Model {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options);

  Status tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  std::string name() const override { return "WordPiece"; }

 private:
  bool cut(std::string_view piece, std::vector<ModelToken>& out) const;

  WordPieceOptions options_;
  size_t longest_token_ = 0;  // bytes
};

}  // namespace atelier::tokenize
