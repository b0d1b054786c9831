// Unicode normalisation forms (UAX 15) that remember where every character came from.
//
// Decomposition, canonical reordering and composition follow the standard's algorithm on ICU's data (Unicode 15.0). A decomposed
// character keeps the source of what it was part of; a composed one covers all the characters that it was made from.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace atelier::text {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

struct SourcedCharacter {
  char32_t value;
  uint32_t begin, end;  // bytes of the input
};

bool is_normalized(std::string_view valid_text, NormalForm form);
std::vector<SourcedCharacter> normalize(std::string_view valid_text, NormalForm form);

}  // namespace atelier::text
