#include "atelier/data/example_rows.h"

#include <algorithm>

#include "atelier/data/packing.h"
#include "atelier/data/shuffle.h"

namespace atelier::data {
namespace {

constexpr int64_t kWindow = 256;  // examples that are packed together

struct Numbered {
  Example example;
  uint64_t sample;
};

bool carries_loss(const Example& example) {
  return std::any_of(example.labels.begin(), example.labels.end(), [](int32_t label) { return label != kIgnoredLabel; });
}

// Encodes a record, cuts it at the context and keeps it if anything is left to learn from.
Status add_example(const DialogueEncoder& encoder, const Records& records, int64_t index, int64_t context, uint64_t sample,
                   std::vector<Numbered>& out) {
  ATELIER_TRY(const Json record, records.at(index));
  Result<Example> encoded = encoder.encode(record);
  if (!encoded.ok()) return encoded.status().with_context("record " + std::to_string(index + 1));
  Example& example = *encoded;
  if (static_cast<int64_t>(example.ids.size()) > context) {
    example.ids.resize(static_cast<size_t>(context));
    example.labels.resize(static_cast<size_t>(context));
  }
  if (carries_loss(example)) out.push_back({std::move(example), sample});
  return {};
}

std::vector<Row> rows_of(const std::vector<Numbered>& examples, int64_t context, bool is_packed) {
  std::vector<int64_t> lengths;
  for (const Numbered& numbered : examples) lengths.push_back(static_cast<int64_t>(numbered.example.ids.size()));
  std::vector<std::vector<int64_t>> bins;
  if (is_packed) {
    bins = pack_best_fit(lengths, context);
  } else {
    for (size_t i = 0; i < examples.size(); ++i) bins.push_back({static_cast<int64_t>(i)});
  }
  std::vector<Row> rows(bins.size());
  for (size_t i = 0; i < bins.size(); ++i) {
    for (const int64_t index : bins[i]) {
      const Numbered& numbered = examples[static_cast<size_t>(index)];
      rows[i].append(numbered.example, numbered.sample);
    }
  }
  return rows;
}

Status no_labels(size_t num_records) {
  return Status::invalid("data: all labels of " + std::to_string(num_records) +
                         " examples are ignored: no answer in them, or none before the context ends; look at them with --show-batch");
}

class ExampleRowSource : public RowSource {
 public:
  ExampleRowSource(std::vector<ExamplePart> parts, std::vector<double> weights, const DialogueEncoder& encoder, int64_t context,
                   bool is_packed, uint64_t seed)
      : parts_(std::move(parts)),
        encoder_(encoder),
        mixture_(std::move(weights), seed),
        context_(context),
        is_packed_(is_packed),
        seed_(seed),
        window_start_(mixture_.cursor()) {}

  Result<Row> next() override {
    if (next_row_ == rows_.size()) ATELIER_RETURN_IF_ERROR(draw_window());
    return rows_[next_row_++];
  }

  Json cursor() const override { return Json::object().set("window", window_start_).set("row", static_cast<int64_t>(next_row_)); }

  // Draws the window again and goes to its row.
  Status restore(const Json& cursor) override {
    const Json* window = cursor.find("window");
    if (!window) return Status::corrupt("data cursor: " + cursor.dump() + " has no window");
    ATELIER_TRY(const int64_t row, cursor.get_int("row"));
    ATELIER_RETURN_IF_ERROR(mixture_.restore(*window));
    rows_.clear();
    next_row_ = 0;
    window_start_ = *window;
    if (row == 0) return {};
    ATELIER_RETURN_IF_ERROR(draw_window());
    if (row < 0 || row > static_cast<int64_t>(rows_.size()))
      return Status::corrupt("data cursor: row " + std::to_string(row) + " of " + std::to_string(rows_.size()) + "; the data has changed");
    next_row_ = static_cast<size_t>(row);
    return {};
  }

 private:
  Status draw_window() {
    window_start_ = mixture_.cursor();
    const auto first = static_cast<uint64_t>(mixture_.num_draws());
    std::vector<Numbered> examples;
    for (int64_t i = 0; i < kWindow; ++i) {
      const Mixture::Draw draw = mixture_.next();
      const ExamplePart& part = parts_[draw.part];
      const int64_t count = part.end - part.begin;
      const int64_t index =
          part.begin + shuffled(seed_ + draw.part, static_cast<uint64_t>(draw.number / count), draw.number % count, count);
      ATELIER_RETURN_IF_ERROR(add_example(encoder_, *part.records, index, context_, first + static_cast<uint64_t>(i), examples));
    }
    if (examples.empty()) return no_labels(kWindow);
    // Packing sorts by length: the rows' order is drawn again.
    std::vector<Row> packed = rows_of(examples, context_, is_packed_);
    const auto count = static_cast<int64_t>(packed.size());
    rows_.clear();
    for (int64_t i = 0; i < count; ++i) rows_.push_back(std::move(packed[static_cast<size_t>(shuffled(~seed_, first, i, count))]));
    next_row_ = 0;
    return {};
  }

  std::vector<ExamplePart> parts_;
  const DialogueEncoder& encoder_;
  Mixture mixture_;
  int64_t context_;
  bool is_packed_;
  uint64_t seed_;
  Json window_start_;
  std::vector<Row> rows_;
  size_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<RowSource> example_rows(std::vector<ExamplePart> parts, const DialogueEncoder& encoder, int64_t context, bool is_packed,
                                        uint64_t seed) {
  std::vector<double> weights;
  for (const ExamplePart& part : parts) weights.push_back(part.weight);
  return std::make_unique<ExampleRowSource>(std::move(parts), std::move(weights), encoder, context, is_packed, seed);
}

Result<std::vector<Row>> all_example_rows(const std::vector<ExamplePart>& parts, const DialogueEncoder& encoder, int64_t context) {
  std::vector<Numbered> examples;
  size_t num_records = 0;
  for (const ExamplePart& part : parts) {
    for (int64_t i = part.begin; i < part.end; ++i) {
      ATELIER_RETURN_IF_ERROR(add_example(encoder, *part.records, i, context, num_records++, examples));
    }
  }
  if (examples.empty()) return no_labels(num_records);
  return rows_of(examples, context, true);
}

}  // namespace atelier::data
