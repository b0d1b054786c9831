// Records of a task for a head: labels of a text or a pair of texts, or a number (train/task_data.h).
#include "atelier/data/objective.h"

namespace atelier::data {

extern const ObjectiveDef objective_sequence_classification;
const ObjectiveDef objective_sequence_classification = {"sequence_classification",
                                                        "labels of a text or a pair of texts, or a number",
                                                        "Devlin et al. 2018, arXiv:1810.04805, 4.1",
                                                        false,
                                                        nullptr,
                                                        TaskKind::kText};

}  // namespace atelier::data
