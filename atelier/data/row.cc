#include "atelier/data/row.h"

#include <algorithm>

namespace atelier::data {

namespace {

int64_t count_labelled(const std::vector<int32_t>& labels) { return std::ssize(labels) - std::ranges::count(labels, kIgnoredLabel); }

template <class T>
void append_all(std::vector<T>& out, const std::vector<T>& more) {
  out.insert(out.end(), more.begin(), more.end());
}

}  // namespace

int64_t Row::num_labelled() const { return count_labelled(labels) + count_labelled(text_labels) + std::ssize(targets); }

void Row::append(const Example& example, uint64_t sample) {
  ids.insert(ids.end(), example.ids.begin(), example.ids.end());
  labels.insert(labels.end(), example.labels.begin(), example.labels.end());
  lengths.push_back(static_cast<int64_t>(example.ids.size()));
  samples.push_back(sample);
}

void Row::append(const Row& row) {
  if (!segments.empty() || !row.segments.empty()) {
    segments.resize(ids.size(), 0);
    append_all(segments, row.segments);
    segments.resize(ids.size() + row.ids.size(), 0);
  }
  append_all(ids, row.ids);
  append_all(labels, row.labels);
  append_all(lengths, row.lengths);
  append_all(samples, row.samples);
  append_all(text_labels, row.text_labels);
  append_all(targets, row.targets);
  append_all(groups, row.groups);
}

}  // namespace atelier::data
