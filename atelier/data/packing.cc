#include "atelier/data/packing.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "atelier/base/error.h"

namespace atelier::data {

std::vector<std::vector<int64_t>> pack_best_fit(std::span<const int64_t> lengths, int64_t capacity) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)]; });
  std::vector<std::vector<int64_t>> rows;
  std::set<std::pair<int64_t, size_t>> room;  // (tokens left, row)
  for (const int64_t index : order) {
    const int64_t length = lengths[static_cast<size_t>(index)];
    ATELIER_CHECK(0 < length && length <= capacity);
    auto found = room.lower_bound({length, 0});
    std::pair<int64_t, size_t> chosen{capacity, rows.size()};
    if (found == room.end()) {
      rows.emplace_back();
    } else {
      chosen = *found;
      room.erase(found);
    }
    rows[chosen.second].push_back(index);
    room.insert({chosen.first - length, chosen.second});
  }
  return rows;
}

}  // namespace atelier::data
