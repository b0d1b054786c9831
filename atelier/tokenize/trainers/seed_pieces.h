// The pieces that Unigram's training starts from: substrings of words that occur often.
//
// A suffix array of the distinct words, each suffix weighed by its word's count: in sorted order the suffixes that begin with the same
// string lie side by side, so that one walk with a stack meets every string that is not always followed by the same character (a node
// of the suffix tree; Kasai et al. 2001). Suffixes are compared as far as the longest piece reaches. Buckets of suffixes that begin with
// the same character are sorted by all threads of parallel/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/tokenize/word_table.h"

namespace atelier::tokenize {

struct SeedPiece {
  std::string text;
  uint64_t score;  // characters of the corpus that it covers: occurrences times length
};

// All `characters` with their counts, then the best other pieces, at most `max_pieces` of them, of 2 to `max_length` characters, by
// descending score. `words` are made of `characters` (ascending, at most kMaxCharacters) alone. As SentencePiece has it, "▁" stands in
// front of a piece or nowhere, and a piece is of one script.
inline constexpr size_t kMaxCharacters = 0xFFFF;
std::vector<SeedPiece> find_seed_pieces(const std::vector<CountedWord>& words, const std::vector<std::pair<char32_t, uint64_t>>& characters,
                                        size_t max_pieces, size_t max_length);

}  // namespace atelier::tokenize
