// A range of code points as sequences of byte ranges, so that an automaton can read UTF-8 byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "atelier/generate/grammar/expression.h"

namespace atelier::generate {

// One to four bytes; byte i lies in [first[i], last[i]].
struct ByteSequence {
  int size = 0;
  std::array<uint8_t, 4> first{}, last{};
};

// Appends sequences that together spell exactly the code points of `range`, each once; surrogates are left out.
void append_utf8_ranges(CodePointRange range, std::vector<ByteSequence>& out);

}  // namespace atelier::generate
