// How failures travel inside the template engine.
//
// Rendering walks a tree of expressions a hundred levels deep; a Status at every step would hide what the code does. So inside
// jinja/ a bad template or bad data throws TemplateError, and ChatTemplate (chat_template.cc), the only door, turns it into a Status.
#pragma once

#include <string>

#include "atelier/base/error.h"
#include "atelier/base/status.h"

namespace atelier::tokenize::jinja {

struct TemplateError : Error {
  explicit TemplateError(const std::string& message, StatusCode error_code = StatusCode::kInvalidArgument, int at_line = 0)
      : Error(message), code(error_code), line(at_line) {}
  StatusCode code;
  int line;  // of the template, from 1; 0 when the thrower did not know it
};

}  // namespace atelier::tokenize::jinja
