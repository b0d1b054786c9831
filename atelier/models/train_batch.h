// What a batch has to be before a model may learn from it.
#pragma once

#include "atelier/models/trainable.h"

namespace atelier::models {

// Errors as TrainableModel::loss_and_backward() lists them.
Status check_batch(const nn::TransformerSpec& spec, const TrainBatch& batch, int64_t max_length);

}  // namespace atelier::models
