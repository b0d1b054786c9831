// How well a head does its task on rows that it did not learn from, in the metrics of the field.
//
//   one label      accuracy, f1 (two labels: of the second; more: macro), matthews
//   many labels    f1 (micro), f1_macro; a label is predicted where its probability is at least one half
//   regression     spearman, pearson
//   tokens         f1 of entities as seqeval has it where labels are B-X and I-X, precision, recall; else accuracy of words
//   answers        f1 and exact_match as SQuAD has them, of the best answer of all windows, at most 30 tokens long
//   choices        accuracy
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/models/trainable.h"
#include "atelier/train/task_data.h"

namespace atelier::train {

// Names and values in [-1, 1]; the first is the one that a run is judged by.
using Scores = std::vector<std::pair<std::string, double>>;

// Of rows that carry labels.
struct Judgement {
  double loss = 0;  // the mean of all labels'
  Scores scores;
};

// Runs `model` over rows once, `most_rows` at a time. `rows.rows` is not empty.
Result<Judgement> judge(models::TrainableModel& model, const TaskRows& rows, int64_t most_rows);

}  // namespace atelier::train
