// A trie over byte strings, built once from a sorted list: nodes in breadth-first order, the children of a node side by side.
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
    const NodeData& data = nodes_[node];
    uint32_t low = data.first_child, high = data.first_child + data.num_children;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (nodes_[middle].label < byte) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < data.first_child + data.num_children && nodes_[low].label == byte ? low : kRoot;
  }
  int32_t value(Node node) const { return nodes_[node].value; }
  bool empty() const { return nodes_.size() == 1 && nodes_[0].value == kNoValue; }

 private:
  struct NodeData {
    uint32_t first_child = 0;
    uint16_t num_children = 0;
    unsigned char label = 0;
    int32_t value = kNoValue;
  };
  std::vector<NodeData> nodes_;
};

}  // namespace atelier::tokenize
