#include "atelier/generate/default_answer.h"

#include <algorithm>

namespace atelier::generate {

TokenRules default_rules(const models::GenerationDefaults& model) {
  return {.no_repeat_ngram = std::max<int64_t>(0, model.no_repeat_ngram.value_or(0)),
          .min_tokens = std::max<int64_t>(0, model.min_length.value_or(0) - 1),  // the token before the answer is counted there
          .banned_ids = model.banned_ids,
          .forced_first = model.forced_first,
          .forced_last = model.forced_last};
}

BeamOptions default_beams(const models::GenerationDefaults& model) {
  return {.num_beams = std::max<int64_t>(1, model.num_beams.value_or(1)),
          .length_penalty = model.length_penalty.value_or(1),
          .early_stopping = model.early_stopping.value_or(false) ? EarlyStopping::kYes : EarlyStopping::kNo};
}

int64_t default_max_tokens(const models::GenerationDefaults& model) {
  return model.max_length ? std::max<int64_t>(1, *model.max_length - 1) : -1;
}

}  // namespace atelier::generate
