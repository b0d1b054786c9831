// Rows that lie in memory, in a new random order in each epoch.
#pragma once

#include <memory>
#include <vector>

#include "atelier/data/row.h"

namespace atelier::data {

struct RowPart {
  std::vector<Row> rows;  // at least one
  double weight = 1;      // of its share of the draws
};

// A row that is drawn gets the numbers of its documents anew: draw * largest number of documents in a row + its place.
std::unique_ptr<RowSource> kept_rows(std::vector<RowPart> parts, uint64_t seed);

}  // namespace atelier::data
