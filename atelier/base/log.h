// Progress and warnings, one line each on stderr; stdout belongs to results. Quiet by default below kWarning.
#pragma once

#include <string>

namespace atelier {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

void set_log_level(LogLevel level);  // --verbose sets kDebug
LogLevel log_level();
void log(LogLevel level, const std::string& message);  // "atelier: warning: …"; safe from any thread

}  // namespace atelier
