#include "atelier/generate/grammar/expression.h"

#include <algorithm>

namespace atelier::generate {

std::vector<CodePointRange> complement(std::vector<CodePointRange> ranges) {
  ranges.emplace_back(0xD800, 0xDFFF);
  std::sort(ranges.begin(), ranges.end());
  std::vector<CodePointRange> out;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) out.emplace_back(next, first - 1);
    next = std::max<char32_t>(next, last + 1);
  }
  if (next <= 0x10FFFF) out.emplace_back(next, 0x10FFFF);
  return out;
}

}  // namespace atelier::generate
