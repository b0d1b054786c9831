// The mean of a run's last checkpoints, as a model of its own.                                   (Vaswani et al. 2017, section 6.1)
#pragma once

#include <cstdint>
#include <string>

#include "atelier/base/status.h"

namespace atelier::train {

// Writes the mean of the weights of the last `count` checkpoints of the run in `folder` to `target`, a new Hugging Face folder with the
// run's tokenizer. Returns how many checkpoints it is of: fewer where the run has kept fewer. Errors: NotFound for a folder that is no run
// or holds no checkpoint, Unsupported for a run that trained additions (their product is not linear in them), InvalidArgument for a target
// that exists.
Result<int64_t> average_checkpoints(const std::string& folder, int64_t count, const std::string& target);

}  // namespace atelier::train
