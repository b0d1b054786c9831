#include "atelier/text/char_set.h"

#include <algorithm>

namespace atelier::text {

CharSet::CharSet(const std::vector<std::pair<char32_t, char32_t>>& ranges) : bitmap_(kBitmapEnd / 64) {
  for (const auto& [first, last] : ranges) {
    contains_non_ascii_ |= last >= 0x80;
    for (char32_t c = first; c <= last && c < kBitmapEnd; ++c) bitmap_[c >> 6] |= uint64_t{1} << (c & 63);
    if (last >= kBitmapEnd) supplementary_.emplace_back(std::max(first, kBitmapEnd), last);
  }
}

bool CharSet::contains_supplementary(char32_t c) const {
  const auto after = std::upper_bound(supplementary_.begin(), supplementary_.end(), c,
                                      [](char32_t value, const auto& range) { return value < range.first; });
  return after != supplementary_.begin() && c <= std::prev(after)->second;
}

}  // namespace atelier::text
