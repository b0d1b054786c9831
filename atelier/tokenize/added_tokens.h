// Added tokens: strings that are cut out of the text before the model sees it ("<|im_end|>", "[MASK]", runs of spaces).
//
// Two passes, as in Hugging Face tokenizers: tokens that are not `normalized` are looked for in the user's text, the others in what
// the normalizer made of it (and in their own normalized spelling). The longest token at the leftmost place wins. Special tokens
// count only where the caller allows it; a special token that does not count still hides shorter ones behind it.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/tokenize/aligned_text.h"
#include "atelier/tokenize/byte_trie.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool single_word = false;            // only where no word character stands beside it
  bool lstrip = false;                 // takes the white space on its left with it
  bool rstrip = false;                 // … and on its right
  bool normalized = true;              // looked for in the normalized text
  bool is_spelled_normalized = false;  // `content` is what the normalizer gives already (SentencePiece's user-defined pieces)
  bool special = false;                // left out when decoding with skip_special; formed from text only on request
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
  struct Entry {
    std::string spelling;     // not empty
    const AddedToken* token;  // must outlive the matcher
  };
  // Of two entries with the same spelling the later one counts.
  explicit TokenMatcher(const std::vector<Entry>& entries = {});
  bool empty() const { return trie_.empty(); }

  // Cuts `text` into parts that cover it. `counts(token, range)` says whether a match is taken.
  void split(std::string_view text, FunctionRef<bool(const AddedToken&, Span)> counts, std::vector<TextPart>& parts) const;

 private:
  size_t next_candidate(std::string_view text, size_t from) const;
  const AddedToken* longest_at(std::string_view text, size_t begin, size_t& end) const;

  std::vector<const AddedToken*> tokens_;
  ByteTrie trie_;  // values: index into tokens_
  std::bitset<256> first_bytes_;
  std::optional<char> only_first_byte_;  // all tokens begin with it: it can be searched for
};

}  // namespace atelier::tokenize
