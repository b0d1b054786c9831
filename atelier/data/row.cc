#include "atelier/data/row.h"

#include <algorithm>

namespace atelier::data {

int64_t Row::num_labelled() const { return static_cast<int64_t>(labels.size()) - std::count(labels.begin(), labels.end(), kIgnoredLabel); }

void Row::append(const Example& example, uint64_t sample) {
  ids.insert(ids.end(), example.ids.begin(), example.ids.end());
  labels.insert(labels.end(), example.labels.begin(), example.labels.end());
  lengths.push_back(static_cast<int64_t>(example.ids.size()));
  samples.push_back(sample);
}

void Row::append(const Row& row) {
  ids.insert(ids.end(), row.ids.begin(), row.ids.end());
  labels.insert(labels.end(), row.labels.begin(), row.labels.end());
  lengths.insert(lengths.end(), row.lengths.begin(), row.lengths.end());
  samples.insert(samples.end(), row.samples.begin(), row.samples.end());
}

}  // namespace atelier::data
