// Records of a task for a head: where in a document the answer begins and ends (train/task_data.h).
#include "atelier/data/objective.h"

namespace atelier::data {

extern const ObjectiveDef objective_question_answering;
const ObjectiveDef objective_question_answering = {
    "question_answering", "where in a document the answer begins and ends", "Devlin et al. 2018, arXiv:1810.04805, 4.2", false, nullptr,
    TaskKind::kSpan};

}  // namespace atelier::data
