// A model in the words of OpenAI's list, with what local servers add to it.
#pragma once

#include "atelier/base/json.h"

namespace atelier::serve {

class ServedModel;

Json model_json(const ServedModel& model);

}  // namespace atelier::serve
