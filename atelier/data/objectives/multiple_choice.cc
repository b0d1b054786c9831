// Records of a task for a head: which of several answers is right (train/task_data.h).
#include "atelier/data/objective.h"

namespace atelier::data {

extern const ObjectiveDef objective_multiple_choice;
const ObjectiveDef objective_multiple_choice = {
    "multiple_choice", "which of several answers is right", "Devlin et al. 2018, arXiv:1810.04805, 4.4", false, nullptr, TaskKind::kChoice};

}  // namespace atelier::data
