// Added tokens: strings that are cut out of the text before the model sees it ("<|im_end|>", "[MASK]", runs of spaces).
//
// Two passes, as in Hugging Face tokenizers: tokens that are not `normalized` are looked for in the user's text, the others in what
// the normalizer made of it (and in their own normalized spelling). The longest token at the leftmost place wins. Special tokens
// count only where the caller allows it; a special token that does not count still hides shorter ones behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/tokenize/aligned_text.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool single_word = false;  // only where no word character stands beside it
  bool lstrip = false;       // takes the white space on its left with it
  bool rstrip = false;       // … and on its right
  bool normalized = true;    // looked for in the normalized text
  bool special = false;      // left out when decoding with skip_special; formed from text only on request
};

// A part of a text: an added token, or plain text between them.
struct TextPart {
  Span range;
  const AddedToken* token;  // null: plain text
};

// Finds the leftmost-longest of a set of strings: a byte trie, walked from every position. The longest token bounds the walk, so
// the cost is linear in the text for any fixed set.
class TokenMatcher {
 public:
  // A later token with the same spelling replaces an earlier one. `token` must outlive the matcher.
  void add(std::string_view spelling, const AddedToken* token);
  bool empty() const { return nodes_.size() == 1; }

  // Cuts `text` into parts that cover it. `counts(token, range)` says whether a match is taken.
  void split(std::string_view text, FunctionRef<bool(const AddedToken&, Span)> counts, std::vector<TextPart>& parts) const;

 private:
  struct Node {
    std::vector<std::pair<unsigned char, uint32_t>> next;  // sorted by byte
    const AddedToken* token = nullptr;
  };
  const AddedToken* longest_at(std::string_view text, size_t begin, size_t& end) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<uint32_t> first_ = std::vector<uint32_t>(256, 0);  // root's children by byte; 0: none
};

}  // namespace atelier::tokenize
