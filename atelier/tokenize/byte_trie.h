// A trie over byte strings, built once: a double array (Aoe 1989, "An efficient digital search algorithm by using a double-array
// structure"), so that a step is one look at memory.
//
// The child of node n along byte b lies at first[n] + b, if that slot says that its parent is n. Slots of several nodes interleave.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::tokenize {

class ByteTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr int32_t kNoValue = -1;

  // `entries`: strings and their values (>= 0). A string given twice keeps its last value.
  explicit ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries = {});

  // The child of `node` along `byte`; kRoot when there is none.
  Node step(Node node, unsigned char byte) const {
    const Node child = slots_[node].first + byte;
    return slots_[child].parent == node ? child : kRoot;
  }
  int32_t value(Node node) const { return slots_[node].value; }
  bool empty() const { return is_empty_; }

 private:
  static constexpr uint32_t kFree = ~uint32_t{0};  // no node's number
  struct Slot {
    uint32_t first = 0;  // where the child along byte 0 would lie
    uint32_t parent = kFree;
    int32_t value = kNoValue;
  };
  class Builder;
  std::vector<Slot> slots_;  // 256 more than the last node, so that a step needs no check of the size
  bool is_empty_ = true;
};

}  // namespace atelier::tokenize
