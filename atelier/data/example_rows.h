// Rows of examples: each document whole (or cut at the context), several packed into a row.
#pragma once

#include <memory>
#include <vector>

#include "atelier/data/dialogue.h"
#include "atelier/data/mixture.h"
#include "atelier/data/records.h"
#include "atelier/data/row.h"

namespace atelier::data {

struct ExamplePart {
  std::shared_ptr<const Records> records;
  int64_t begin = 0, end = 0;  // records that are used
  double weight = 1;
};

// Records in a new random order in each epoch. They are drawn in windows, and each window's examples packed by best fit, or laid a row
// each. The error of next() when no example of a window carries loss says why. `encoder` outlives the source.
std::unique_ptr<RowSource> example_rows(std::vector<ExamplePart> parts, const DialogueEncoder& encoder, int64_t context, bool is_packed,
                                        uint64_t seed);

// All records of the parts once, packed.
Result<std::vector<Row>> all_example_rows(const std::vector<ExamplePart>& parts, const DialogueEncoder& encoder, int64_t context);

}  // namespace atelier::data
