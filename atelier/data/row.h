// What training consumes: rows of documents with a label for each position.
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::data {

inline constexpr int32_t kIgnoredLabel = -100;  // a position that carries no loss

// One document: position t reads ids[t] and is to predict labels[t], the next token or kIgnoredLabel. Same lengths.
struct Example {
  std::vector<int32_t> ids, labels;
};

// Documents laid end to end, at most the context's tokens. No row is ever padded, so that no token has to stand for nothing.
struct Row {
  std::vector<int32_t> ids, labels;  // [T]
  std::vector<int64_t> lengths;      // of each document, their sum T
  std::vector<uint64_t> samples;     // each document's number in the run: dropout depends on it
  // Of tasks: what a head is to say of whole documents, as models::TrainBatch has it.
  std::vector<int32_t> segments;     // [T], or none where all are 0
  std::vector<int32_t> text_labels;  // of documents, of groups, or the first and last row of an answer
  std::vector<float> targets;        // numbers, or 0 and 1 of each of many labels
  std::vector<int64_t> groups;       // how many documents are answers to one question
  int64_t num_labelled() const;      // how many labels and targets carry loss

  void append(const Example& example, uint64_t sample);
  void append(const Row& row);
};

// An endless, deterministic series of rows, which can be left and entered again at any row.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual Result<Row> next() = 0;
  virtual Json cursor() const = 0;                 // where the series stands
  virtual Status restore(const Json& cursor) = 0;  // Corrupt for what cursor() cannot have written
};

}  // namespace atelier::data
