#include "atelier/train/batches.h"

namespace atelier::train {

int64_t count_labels(const std::vector<data::Row>& rows) {
  int64_t count = 0;
  for (const data::Row& row : rows) count += row.num_labelled();
  return count;
}

std::vector<data::Row> micro_batches(const std::vector<data::Row>& rows, int64_t most) {
  std::vector<data::Row> joined;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<int64_t>(i) % most == 0) joined.emplace_back();
    joined.back().append(rows[i]);
  }
  return joined;
}

models::TrainBatch batch_of(const data::Row& row, int64_t step, double weight) {
  return {row.ids,      row.labels,      row.lengths, row.samples, static_cast<uint64_t>(step),
          row.segments, row.text_labels, weight,      row.targets, row.groups};
}

Result<double> mean_loss(models::TrainableModel& model, const std::vector<data::Row>& rows, int64_t most) {
  const auto weight = 1.0 / static_cast<double>(count_labels(rows));
  double loss = 0;
  for (const data::Row& micro : micro_batches(rows, most)) {
    ATELIER_TRY(const double part, model.loss(batch_of(micro, 0, weight), weight));
    loss += part;
  }
  return loss;
}

}  // namespace atelier::train
