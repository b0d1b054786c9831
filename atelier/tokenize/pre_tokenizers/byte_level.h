// ByteLevel: the GPT-2 split, then every byte as a printable character (byte_level.h).
#pragma once

#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

struct ByteLevelOptions {
  bool add_prefix_space = true;  // a piece that does not begin with a space is given one
  bool use_regex = true;         // split with GPT-2's pattern
};

std::unique_ptr<PreTokenizer> byte_level_pre_tokenizer(const ByteLevelOptions& options);

// Appends `from[range]` to `to` in byte-level characters; the characters of one code point share its source.
void append_byte_level(const AlignedText& from, Span range, AlignedText& to);

}  // namespace atelier::tokenize
