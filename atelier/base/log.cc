#include "atelier/base/log.h"

#include <atomic>
#include <cstdio>

namespace atelier {
namespace {
std::atomic<LogLevel> g_level{LogLevel::kInfo};
}

void set_log_level(LogLevel level) { g_level = level; }
LogLevel log_level() { return g_level; }

void log(LogLevel level, const std::string& message) {
  if (level < g_level) return;
  static constexpr const char* kPrefix[] = {"debug: ", "", "warning: ", "error: "};
  const std::string line = std::string("atelier: ") + kPrefix[static_cast<int>(level)] + message + "\n";
  std::fputs(line.c_str(), stderr);  // one call, so that lines of two threads do not mix
}

}  // namespace atelier
