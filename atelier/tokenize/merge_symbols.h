// The merge loop that every kind of byte-pair encoding shares (Sennrich et al. 2016, arXiv:1508.07909).
//
// A word starts as a row of symbols; the adjacent pair of the lowest rank is merged, the leftmost where ranks are equal, until no
// pair is left that may be merged. Short words scan for the minimum; long ones keep a heap over a linked list, O(n log n), so that
// a megabyte without a single space is no trouble.
#pragma once

#include <cstdint>
#include <limits>
#include <queue>
#include <vector>

#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

struct Symbol {
  TokenId id;           // -1: no token spells this symbol
  uint32_t begin, end;  // bytes of the word
};

struct Merge {
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  uint32_t rank = kNone;
  TokenId id = -1;  // of the merged symbol
};

namespace detail {

inline constexpr size_t kScanLimit = 32;  // symbols up to which scanning is faster than a heap

template <typename FindMerge>
void merge_by_scanning(std::vector<Symbol>& symbols, FindMerge find) {
  Merge merges[kScanLimit];
  size_t count = symbols.size();
  for (size_t i = 0; i + 1 < count; ++i) merges[i] = find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == Merge::kNone) break;
    symbols[best].id = merges[best].id;
    symbols[best].end = symbols[best + 1].end;
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
    --count;
    for (size_t i = best + 1; i + 1 < count; ++i) merges[i] = merges[i + 1];
    if (best > 0) merges[best - 1] = find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) merges[best] = find(symbols[best], symbols[best + 1]);
  }
}

template <typename FindMerge>
class HeapMerger {
 public:
  HeapMerger(std::vector<Symbol>& symbols, FindMerge find) : symbols_(symbols), find_(find), links_(symbols.size()) {
    const auto count = static_cast<int64_t>(symbols.size());
    for (int64_t i = 0; i < count; ++i) links_[static_cast<size_t>(i)] = {i - 1, i + 1 < count ? i + 1 : -1, true};
    for (int64_t i = 0; i + 1 < count; ++i) push(i, i + 1);
  }

  void run() {
    while (!queue_.empty()) {
      const Candidate candidate = queue_.top();
      queue_.pop();
      if (is_current(candidate)) apply(candidate);
    }
    size_t kept = 0;
    for (size_t i = 0; i < symbols_.size(); ++i) {
      if (links_[i].is_alive) symbols_[kept++] = symbols_[i];
    }
    symbols_.resize(kept);
  }

 private:
  struct Link {
    int64_t previous, next;
    bool is_alive;
  };
  struct Candidate {
    uint32_t rank;
    TokenId id;
    int64_t left, right;
    uint32_t left_end, right_end;  // as they were: a symbol that has grown since makes the candidate stale
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
  };

  Symbol& symbol(int64_t i) { return symbols_[static_cast<size_t>(i)]; }
  Link& link(int64_t i) { return links_[static_cast<size_t>(i)]; }

  void push(int64_t left, int64_t right) {
    const Merge merge = find_(symbol(left), symbol(right));
    if (merge.rank == Merge::kNone) return;
    queue_.push({merge.rank, merge.id, left, right, symbol(left).end, symbol(right).end});
  }

  bool is_current(const Candidate& c) {
    return link(c.left).is_alive && link(c.right).is_alive && symbol(c.left).end == c.left_end && symbol(c.right).end == c.right_end;
  }

  void apply(const Candidate& c) {
    symbol(c.left).id = c.id;
    symbol(c.left).end = c.right_end;
    link(c.right).is_alive = false;
    const int64_t next = link(c.left).next = link(c.right).next;
    if (next >= 0) link(next).previous = c.left;
    if (link(c.left).previous >= 0) push(link(c.left).previous, c.left);
    if (next >= 0) push(c.left, next);
  }

  std::vector<Symbol>& symbols_;
  FindMerge find_;
  std::vector<Link> links_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace detail

// Merges `symbols` in place. `find(left, right)` gives the merge of two neighbours, rank Merge::kNone when there is none.
template <typename FindMerge>
void merge_symbols(std::vector<Symbol>& symbols, FindMerge find) {
  if (symbols.size() < 2) return;
  if (symbols.size() <= detail::kScanLimit) {
    detail::merge_by_scanning(symbols, find);
  } else {
    detail::HeapMerger<FindMerge>(symbols, find).run();
  }
}

}  // namespace atelier::tokenize
