// One token per pre-tokenized word, or the unknown token.
#pragma once

#include <string>

#include "atelier/tokenize/model.h"

namespace atelier::tokenize {

class WordLevel : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::string unk_token) : Model(std::move(vocabulary)), unk_token_(std::move(unk_token)) {}

  Status tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  std::string name() const override { return "WordLevel"; }

 private:
  std::string unk_token_;
};

}  // namespace atelier::tokenize
