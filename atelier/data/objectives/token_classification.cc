// Records of a task for a head: a label for each word, at its first token (train/task_data.h).
#include "atelier/data/objective.h"

namespace atelier::data {

extern const ObjectiveDef objective_token_classification;
const ObjectiveDef objective_token_classification = {
    "token_classification", "a label for each word, at its first token", "Devlin et al. 2018, arXiv:1810.04805, 5.3", false, nullptr,
    TaskKind::kTokens};

}  // namespace atelier::data
