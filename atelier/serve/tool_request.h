// `tools`, `tool_choice` and `parallel_tool_calls` of a chat request, in OpenAI's shape.
#pragma once

#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/generate/tool_format.h"

namespace atelier::serve {

enum class ToolChoice { kNone, kAuto, kRequired };

struct ToolRequest {
  ToolChoice choice = ToolChoice::kNone;  // none also where no tools are given
  std::vector<generate::Tool> tools;      // that the model is told of
  std::vector<generate::Tool> callable;   // of them, those that may be called
  bool may_repeat = true;
  bool is_strict = false;  // one says `strict`: its schema must be one that can be followed
};

// InvalidArgument names the field: two tools of a name, a choice that is none of them, a name that is none.
Result<ToolRequest> tool_request(const Json& body);

}  // namespace atelier::serve
