// A model in the words of OpenAI's list, with what local servers add to it.
#pragma once

#include "atelier/base/json.h"
#include "atelier/serve/engine_thread.h"

namespace atelier::serve {

Json model_json(const EngineThread::Known& known);

}  // namespace atelier::serve
