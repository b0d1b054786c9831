// A set of code points with fast membership: a bitmap for the Basic Multilingual Plane, sorted ranges beyond it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace atelier::text {

class CharSet {
 public:
  // `ranges` are inclusive, sorted and disjoint.
  explicit CharSet(const std::vector<std::pair<char32_t, char32_t>>& ranges);

  bool contains(char32_t c) const {
    if (c < kBitmapEnd) return bitmap_[c >> 6] >> (c & 63) & 1;
    return contains_supplementary(c);
  }
  bool contains_non_ascii() const { return contains_non_ascii_; }

 private:
  static constexpr char32_t kBitmapEnd = 0x10000;
  bool contains_supplementary(char32_t c) const;

  std::vector<uint64_t> bitmap_;
  std::vector<std::pair<char32_t, char32_t>> supplementary_;
  bool contains_non_ascii_ = false;
};

}  // namespace atelier::text
