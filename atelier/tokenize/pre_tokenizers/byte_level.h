// ByteLevel: the GPT-2 split, then every byte as a printable character (byte_level.h).
//
// The characters are not written as long as nobody looks at them: models take the bytes themselves (Model::tokenize_bytes).
#pragma once

#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

struct ByteLevelOptions {
  bool add_prefix_space = true;  // a piece that does not begin with a space is given one
  bool use_regex = true;         // split with GPT-2's pattern
};

std::unique_ptr<PreTokenizer> byte_level_pre_tokenizer(const ByteLevelOptions& options);

// Writes pieces that are bytes in byte-level characters, for a pre-tokenizer that comes after.
void spell_out_bytes(Pieces& pieces);

// Appends `from[range]` to `to` in byte-level characters; the characters of one code point share its source.
void append_byte_level(const AlignedText& from, Span range, AlignedText& to);

}  // namespace atelier::tokenize
