// runs/NAME/model: the trained model as a Hugging Face folder, which chat, generate and transformers read.
#pragma once

#include <string>

#include "atelier/base/status.h"
#include "atelier/models/trainable.h"
#include "atelier/train/session.h"

namespace atelier::train {

// Tokenizer, chat template and generation defaults: that of the model that the run starts from, or of the run's own tokenizer.
Status export_text_side(const TextSide& text, int64_t context, const std::string& folder);

// Weights (low-rank additions merged) and config.json.
Status export_weights(const models::TrainableModel& model, const tokenize::Tokenizer& tokenizer, const std::string& folder);

// Low-rank additions alone, in PEFT's layout. The folder is made.
Status export_adapter(models::TrainableModel& model, const Recipe& recipe, const std::string& folder);

}  // namespace atelier::train
