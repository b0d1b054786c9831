// Everything that a run needs to go on to the same bits: checkpoints/step-00001000/{model.safetensors, state.json}.
//
//   model.safetensors   weight/NAME (F32), moment/NAME.exp_avg ..., average/NAME of an exponential average
//   state.json          step, the data's cursor, what evaluations have found so far
//
// Dropout, samples and learning rates are functions of the step and the seed, so that no generator has a state. A checkpoint is written
// beside and renamed; `latest` names the newest, and older ones are removed behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/optim/average.h"
#include "atelier/optim/optimizer.h"

namespace atelier::train {

struct TrainState {
  int64_t step = 0;  // done
  Json data_cursor;
  std::optional<double> best_loss;   // of the validation data, at the best step
  std::optional<double> best_score;  // of a task, by which the best step is chosen
  int64_t best_step = 0;
  int64_t num_worse = 0;  // evaluations since the best
};

// What is saved besides: all memory is the caller's.
struct Trained {
  optim::Optimizer& optimizer;
  optim::WeightAverage* average = nullptr;
};

// Returns the checkpoint's path. On an error (a full disk) the checkpoints that were there stay.
Result<std::string> save_checkpoint(const std::string& folder, const TrainState& state, const Trained& trained, int64_t num_kept);

// NotFound when there is none yet; Corrupt where tensors do not fit.
Result<TrainState> load_checkpoint(const std::string& folder, const Trained& trained);

// Paths of the checkpoints in `folder`, oldest first.
std::vector<std::string> list_checkpoints(const std::string& folder);
// Fills the parameters' values from the checkpoint at `path`.
Status load_weights(const std::string& path, std::span<const optim::Parameter> parameters);

}  // namespace atelier::train
