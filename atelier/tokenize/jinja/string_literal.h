// The value of a quoted string in a template: Python's escapes.
#pragma once

#include <string>
#include <string_view>

namespace atelier::tokenize::jinja {

// `body` is what stands between the quotes. Throws TemplateError for a cut escape.
std::string unescape_string(std::string_view body, int line);

}  // namespace atelier::tokenize::jinja
