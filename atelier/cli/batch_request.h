// One line of a batch's input: {"id": …, "prompt": "…"} or {"id": …, "messages": […]}, with the options of this request beside it
// (docs/guide/batch.md).
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/generate/request.h"

namespace atelier::cli {

struct BatchLine {
  Json id;  // a string or an integer
  std::string prompt;
  Json messages;  // an array when the line has messages; else null
  generate::GenerateOptions options;
};

// The id of a line, so that an error can name it; the number of the line where it states none.
Json batch_id(const Json& line, int64_t number);

// InvalidArgument names what is wrong. `defaults` are the options of the command line, which those of the line replace.
Result<BatchLine> parse_batch_line(const Json& line, int64_t number, const generate::GenerateOptions& defaults);

}  // namespace atelier::cli
