// Parses a template into its tree. The grammar is Jinja's, with break and continue (loop controls) and {% generation %}.
//
// Refused, with the line: what needs a loader (extends, include, import) and autoescape true; nesting deeper than kMaxRecursion.
#pragma once

#include <string>

#include "atelier/tokenize/jinja/ast.h"

namespace atelier::tokenize::jinja {

// `source` is valid UTF-8. Throws TemplateError.
Body parse(const std::string& source);

}  // namespace atelier::tokenize::jinja
