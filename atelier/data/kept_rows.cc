#include "atelier/data/kept_rows.h"

#include <algorithm>

#include "atelier/data/mixture.h"
#include "atelier/data/shuffle.h"

namespace atelier::data {
namespace {

std::vector<double> weights_of(const std::vector<RowPart>& parts) {
  std::vector<double> weights;
  for (const RowPart& part : parts) weights.push_back(part.weight);
  return weights;
}

class KeptRows : public RowSource {
 public:
  KeptRows(std::vector<RowPart> parts, uint64_t seed) : parts_(std::move(parts)), mixture_(weights_of(parts_), seed), seed_(seed) {
    for (const RowPart& part : parts_) {
      for (const Row& row : part.rows) most_documents_ = std::max<uint64_t>(most_documents_, row.lengths.size());
    }
  }

  Result<Row> next() override {
    const auto number = static_cast<uint64_t>(mixture_.num_draws());
    const Mixture::Draw draw = mixture_.next();
    const std::vector<Row>& rows = parts_[draw.part].rows;
    const int64_t count = std::ssize(rows);
    const int64_t index = shuffled(seed_ + draw.part, static_cast<uint64_t>(draw.number / count), draw.number % count, count);
    Row row = rows[static_cast<size_t>(index)];
    row.samples.clear();
    for (size_t i = 0; i < row.lengths.size(); ++i) row.samples.push_back(number * most_documents_ + i);
    return row;
  }
  Json cursor() const override { return mixture_.cursor(); }
  Status restore(const Json& cursor) override { return mixture_.restore(cursor); }

 private:
  std::vector<RowPart> parts_;
  Mixture mixture_;
  uint64_t seed_;
  uint64_t most_documents_ = 1;
};

}  // namespace

std::unique_ptr<RowSource> kept_rows(std::vector<RowPart> parts, uint64_t seed) {
  return std::make_unique<KeptRows>(std::move(parts), seed);
}

}  // namespace atelier::data
