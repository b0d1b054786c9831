// The text that one token stands for inside a running text: what lists of alternatives show.
#pragma once

#include <string>

#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

class TokenText {
 public:
  explicit TokenText(const tokenize::Tokenizer& tokenizer);

  // " Paris" rather than "Paris" or "ĠParis"; bytes that are no whole character become U+FFFD; special tokens as they are spelled.
  std::string operator()(int32_t id) const;
  // The same with the token's own bytes where they are no whole character.
  std::string bytes(int32_t id) const;

 private:
  const tokenize::Tokenizer& tokenizer_;
  std::vector<int32_t> anchor_;  // an ordinary token before it, so that decoders do not take it for the start of a text
  std::string anchor_text_;
};

}  // namespace atelier::generate
