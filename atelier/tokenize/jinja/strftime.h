// datetime.strftime for UTC in the C locale, written out so that no environment can change it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::tokenize::jinja {

// Takes the C89 directives, %D %e %F %G %g %h %n %R %T %t %u %V %s, and glibc's "%-d" without padding. Throws TemplateError for others.
std::string format_time(std::string_view format, int64_t unix_time_s);

}  // namespace atelier::tokenize::jinja
