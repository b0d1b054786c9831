// The characters that a vocabulary begins with.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atelier/tokenize/trainer.h"

namespace atelier::tokenize {

// The characters of `counts` and how often each occurs, in ascending order.
std::vector<std::pair<char32_t, uint64_t>> count_characters(const WordCounts& counts);

// The special tokens and then, in the order of their code points, the characters of `counts` and of the initial alphabet: all, or as many
// as limit_alphabet allows, the most frequent ones (the initial alphabet first; of equally rare ones the lower code point stays).
std::vector<std::string> initial_tokens(const WordCounts& counts, const TrainerOptions& options);

// The 256 byte-level characters (byte_level.h).
std::string byte_level_alphabet();

}  // namespace atelier::tokenize
