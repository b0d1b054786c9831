// runs/NAME/model: the trained model as a Hugging Face folder, which chat, generate and transformers read.
#pragma once

#include <string>

#include "atelier/base/status.h"
#include "atelier/convert/relayout.h"
#include "atelier/models/trainable.h"
#include "atelier/train/session.h"

namespace atelier::train {

// Tokenizer, chat template and generation defaults: that of the model that the run starts from, or of the run's own tokenizer.
Status export_text_side(const TextSide& text, int64_t context, const std::string& folder);

// What a model has learned, low-rank additions merged; views where nothing had to be computed.
convert::ModelWeights learned_weights(const models::TrainableModel& model);

// Weights and config.json.
Status export_weights(convert::ModelWeights weights, const tokenize::Tokenizer& tokenizer, const std::string& folder);

// Low-rank additions alone, in PEFT's layout. The folder is made.
Status export_adapter(models::TrainableModel& model, const Recipe& recipe, const std::string& folder);

}  // namespace atelier::train
