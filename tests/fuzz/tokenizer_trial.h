// Puts a tokenizer that a damaged file yielded through its paces.
#pragma once

#include <string>
#include <vector>

#include "atelier/tokenize/tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace atelier::fuzz {

inline void try_tokenizer(const tokenize::Tokenizer& tokenizer) {
  static const std::string kLong(300, 'a');
  for (const std::string_view text :
       {std::string_view("Hello wörld's 123  \n<s>x</s> ▁\xff\xe2\x96 e\xcc\x81 日本"), std::string_view(kLong)}) {
    for (const bool parse_special : {false, true}) {
      const auto encoding = tokenizer.encode(text, {.add_special_tokens = parse_special, .parse_special = parse_special});
      check_refusal(encoding.status());
      if (!encoding.ok()) continue;
      if (encoding->ids.size() != encoding->offsets.size()) fail("ids and offsets differ in number");
      for (const auto& [begin, end] : encoding->offsets) {
        if (begin > end || end > text.size()) fail("an offset lies outside the text");
      }
      check_refusal(tokenizer.decode(encoding->ids, !parse_special).status());
    }
  }
  const std::vector<tokenize::TokenId> odd = {0, 1, -1, static_cast<tokenize::TokenId>(tokenizer.vocab_size()), INT32_MAX};
  for (const tokenize::TokenId id : odd) {
    check_refusal(tokenizer.decode({&id, 1}).status());
    (void)tokenizer.id_to_token(id);
    (void)tokenizer.is_special(id);
  }
}

}  // namespace atelier::fuzz
