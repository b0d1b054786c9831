// Packing: documents of different lengths into rows of one capacity, with little room left over.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::data {

// Indices of `lengths` by row. Best fit decreasing: the longest first, each into the row where least room stays, or a new one; equal
// lengths in their order. Lengths lie in [1, capacity].               (Johnson 1973; at most 11/9 of the fewest rows, plus one)
std::vector<std::vector<int64_t>> pack_best_fit(std::span<const int64_t> lengths, int64_t capacity);

}  // namespace atelier::data
