// A range of units that its owner takes from the front and others from the back, without a lock.
//
// Begin and end share one atomic word, so that a unit is given out once. Units carry no data of their own (what a loop reads was written
// before it began), so that the order of other memory does not matter here.
#pragma once

#include <atomic>
#include <cstdint>

#include "atelier/base/error.h"

namespace atelier::parallel {

class alignas(64) WorkRange {
 public:
  WorkRange() = default;
  WorkRange(const WorkRange& other) : word_(other.word_.load()) {}

  // [begin, end); not while others take from it.
  void set(int64_t begin, int64_t end) {
    ATELIER_CHECK(0 <= begin && begin <= end && end <= int64_t{UINT32_MAX});
    word_.store(pack(static_cast<uint64_t>(begin), static_cast<uint64_t>(end)), std::memory_order_relaxed);
  }

  // The first or last unit, or -1 when none is left.
  int64_t take_first() {
    return take([](uint64_t begin, uint64_t end) { return Step{begin, pack(begin + 1, end)}; });
  }
  int64_t take_last() {
    return take([](uint64_t begin, uint64_t end) { return Step{end - 1, pack(begin, end - 1)}; });
  }

 private:
  struct Step {
    uint64_t unit, word;
  };
  static uint64_t pack(uint64_t begin, uint64_t end) { return begin << 32 | end; }

  template <typename Choose>
  int64_t take(const Choose& choose) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (true) {
      const uint64_t begin = word >> 32, end = word & UINT32_MAX;
      if (begin >= end) return -1;
      const Step step = choose(begin, end);
      if (word_.compare_exchange_weak(word, step.word, std::memory_order_relaxed)) return static_cast<int64_t>(step.unit);
    }
  }

  std::atomic<uint64_t> word_{0};
};

}  // namespace atelier::parallel
