#include "atelier/tokenize/byte_trie.h"

#include <algorithm>

namespace atelier::tokenize {

// Places the children of one node after the other into free slots.
class ByteTrie::Builder {
 public:
  explicit Builder(std::vector<Slot>& slots) : slots_(slots) {
    slots_.assign(1 + kNumBytes, Slot{});
    slots_[kRoot].parent = kRoot;  // nobody's child: `step` gives kRoot either way
  }

  // Where the children along `labels` (ascending, not empty) of `parent` fit side by side with what is there; takes the slots.
  uint32_t place(Node parent, const std::vector<unsigned char>& labels) {
    uint32_t first = find(labels);
    slots_.resize(std::max<size_t>(slots_.size(), size_t{first} + 2 * kNumBytes));
    for (const unsigned char label : labels) slots_[first + label].parent = parent;
    slots_[parent].first = first;
    return first;
  }

 private:
  static constexpr uint32_t kNumBytes = 256;
  // After this many failures behind the first free slot the search starts further on: the array grows a little, building stays linear.
  static constexpr int kMaxTries = 64;

  bool is_free(uint32_t slot) const { return slot >= slots_.size() || slots_[slot].parent == kFree; }

  uint32_t find(const std::vector<unsigned char>& labels) {
    int tries = 0;
    uint32_t slot = std::max<uint32_t>(first_free_, labels.front() + 1u);  // slot 0 is the root's
    for (;; ++slot) {
      if (!is_free(slot)) continue;
      const uint32_t first = slot - labels.front();
      if (std::all_of(labels.begin(), labels.end(), [&](unsigned char label) { return is_free(first + label); })) break;
      if (++tries == kMaxTries) first_free_ = slot;
    }
    while (!is_free(first_free_)) ++first_free_;
    return slot - labels.front();
  }

  std::vector<Slot>& slots_;
  uint32_t first_free_ = 1;
};

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries) : is_empty_(entries.empty()) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  struct Range {
    Node node;
    size_t begin, end, depth;  // entries that share their first `depth` bytes, which lead to `node`
  };
  std::vector<Range> ranges = {{kRoot, 0, entries.size(), 0}};
  std::vector<unsigned char> labels;
  std::vector<size_t> begins;  // of the entries of each label
  Builder builder(slots_);
  for (size_t next = 0; next < ranges.size(); ++next) {
    auto [node, begin, end, depth] = ranges[next];
    for (; begin < end && entries[begin].first.size() == depth; ++begin) slots_[node].value = entries[begin].second;
    if (begin == end) continue;
    labels.clear();
    begins.clear();
    for (size_t i = begin; i < end; ++i) {
      const auto label = static_cast<unsigned char>(entries[i].first[depth]);
      if (!labels.empty() && labels.back() == label) continue;
      labels.push_back(label);
      begins.push_back(i);
    }
    begins.push_back(end);
    const uint32_t first = builder.place(node, labels);
    for (size_t i = 0; i < labels.size(); ++i) ranges.push_back({first + labels[i], begins[i], begins[i + 1], depth + 1});
  }
}

}  // namespace atelier::tokenize
