// From a chat request in OpenAI's shape, which the other APIs' words are put into, to what the engine is asked for.
#pragma once

#include <optional>
#include <vector>

#include "atelier/serve/answers.h"

namespace atelier::serve {

struct ChatPlan {
  std::vector<AnswerSpec> specs;  // one for each of `n`
  int64_t num_cut = 0;            // of the oldest messages that were left out, where the request allows it (`truncate`)
};

// The conversation as a prompt, samplers, tools, thoughts, and what the answer is held to. Errors are told in OpenAI's names.
std::optional<ApiError> plan_chat(const Json& body, const ServedModel& model, ChatPlan& plan);

}  // namespace atelier::serve
