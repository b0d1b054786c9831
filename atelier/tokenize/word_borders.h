// Where a text without pre-tokenizer falls into words: byte-pair encoding cannot tell whether it is given the whole or the words.
//
// A merge makes a token of the vocabulary. Where no token holds "x▁", nothing ever merges across a border between x and "▁", so
// both sides come out as they would alone. SentencePiece vocabularies are made that way; the few characters x before which it does not
// hold are found in the vocabulary and give no border. A line end that no longer token holds has a border on both sides.
#pragma once

#include <string_view>
#include <vector>

#include "atelier/tokenize/vocabulary.h"

namespace atelier::tokenize {

inline constexpr const char* kMetaSpace = "▁";

class WordBorders {
 public:
  WordBorders() = default;  // no borders
  // The borders of a vocabulary that spells text as it is, but for byte tokens; none when it has no "▁". `has_line_end`: a line end
  // is never unknown, as a token or as a byte.
  WordBorders(const Vocabulary& vocabulary, bool has_line_end);

  // The first border after `from` in `text` (valid UTF-8), or text.size(). Not between two "▁".
  size_t next(std::string_view text, size_t from) const;
  // Every "▁" after another character begins a word, and no token holds it elsewhere.
  bool are_everywhere() const { return exists_ && no_border_after_.empty(); }

 private:
  bool exists_ = false;
  bool line_ends_stand_alone_ = false;
  std::vector<char32_t> no_border_after_;  // sorted
};

}  // namespace atelier::tokenize
