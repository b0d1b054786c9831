#include "atelier/tokenize/byte_trie.h"

#include <algorithm>

namespace atelier::tokenize {

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  struct Range {
    size_t begin, end, depth;  // entries that share their first `depth` bytes
  };
  std::vector<Range> ranges = {{0, entries.size(), 0}};  // by node
  nodes_.emplace_back();
  for (size_t node = 0; node < nodes_.size(); ++node) {
    auto [begin, end, depth] = ranges[node];
    for (; begin < end && entries[begin].first.size() == depth; ++begin) nodes_[node].value = entries[begin].second;
    nodes_[node].first_child = static_cast<uint32_t>(nodes_.size());
    while (begin < end) {
      const char label = entries[begin].first[depth];
      size_t next = begin;
      while (next < end && entries[next].first[depth] == label) ++next;
      ranges.push_back({begin, next, depth + 1});
      nodes_.emplace_back().label = static_cast<unsigned char>(label);
      ++nodes_[node].num_children;
      begin = next;
    }
  }
}

}  // namespace atelier::tokenize
