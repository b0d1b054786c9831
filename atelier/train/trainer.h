// The training loop: batches, gradients, steps; evaluations, samples, checkpoints; and ending well, however it ends.
//
// A step's loss is the mean over all labelled tokens of its batch, however the batch is cut into micro-batches. The same recipe gives the
// same bits for a fixed number of threads, also when the run is killed anywhere and resumed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "atelier/base/status.h"
#include "atelier/data/row.h"
#include "atelier/train/answers.h"
#include "atelier/train/recipe.h"
#include "atelier/train/task_scores.h"

namespace atelier::train {

struct StepReport {
  int64_t step = 0, num_steps = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0, tokens_per_s = 0;
  std::optional<double> validation_loss;  // the latest
  Scores scores;                          // of a task on the validation data, the latest
};

struct TrainHooks {
  std::function<bool(const StepReport&)> on_step = {};  // false: save and stop
  std::function<void(int64_t step, const std::string& text)> on_sample = {};
};

struct TrainResult {
  int64_t step = 0;
  double loss = 0;                   // of the last step's batch
  std::optional<double> start_loss;  // of the validation data, before the first step of a run from a checkpoint
  std::optional<double> best_loss;
  Scores best_scores, test_scores;  // of a task at the best step, on validation and test data
  int64_t best_step = 0;
  bool stopped_early = false;  // patience ran out
  std::string folder, model;
  std::vector<ComparedAnswer> answers;
};

// Errors: Cancelled when on_step said so (all is saved), what recipe, data and files cause, and a loss that went wrong: then nothing is
// saved over the last good checkpoint, which the message names.
Result<TrainResult> train(const Recipe& recipe, bool resumes, const TrainHooks& hooks);

// What a run would take, from one step that is not kept.
struct RunEstimate {
  int64_t num_parameters = 0, num_trained = 0;
  int64_t weight_bytes = 0, gradient_bytes = 0, moment_bytes = 0, activation_bytes = 0;
  int64_t tokens_per_step = 0;
  double step_s = 0;
};
Result<RunEstimate> estimate_run(const Recipe& recipe);

// The first rows of data, for a look at what carries loss, with the text of each token.
struct ShownRow {
  data::Row row;
  std::vector<std::string> pieces;
  bool predicts_next = true;      // a label is the token behind its position; else what its own position is to say
  std::vector<std::string> says;  // what a task's head is to say of the row: "label positive", "answer 1889"
};
Result<std::vector<ShownRow>> first_rows(const Recipe& recipe, int64_t count);

}  // namespace atelier::train
