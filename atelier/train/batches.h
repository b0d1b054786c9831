// Rows of data joined to what a model computes at once.
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/data/row.h"
#include "atelier/models/trainable.h"

namespace atelier::train {

// Labels and targets that carry loss.
int64_t count_labels(const std::vector<data::Row>& rows);

// Rows joined in their order, `most` at a time.
std::vector<data::Row> micro_batches(const std::vector<data::Row>& rows, int64_t most);

// A view of `row`, with `weight` of each label's loss, of whatever a label is.
models::TrainBatch batch_of(const data::Row& row, int64_t step, double weight);

// The mean loss of all labels, without learning. `rows` have some.
Result<double> mean_loss(models::TrainableModel& model, const std::vector<data::Row>& rows, int64_t most);

}  // namespace atelier::train
