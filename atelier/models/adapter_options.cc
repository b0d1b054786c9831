#include "atelier/models/adapter_options.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/text/regex.h"

namespace atelier::models {
namespace {

bool is_expression(const std::string& name) { return name.find_first_of("*+?[]()|^$\\{}") != std::string::npos; }

Result<bool> fits_whole(const std::string& pattern, const std::string& text) {
  ATELIER_TRY(const text::Regex regex, text::Regex::compile("\\A(?:" + pattern + ")\\z", "module pattern"));
  bool fits = false;
  ATELIER_RETURN_IF_ERROR(regex.find_all(text, [&](size_t, size_t) { fits = true; }));
  return fits;
}

bool is_end_of(const std::string& end, const std::string& name) {
  return name == end || (name.ends_with(end) && name[name.size() - end.size() - 1] == '.');
}

}  // namespace

Result<double> pattern_value(const ModulePatterns& patterns, const std::string& module, double fallback) {
  for (const auto& [pattern, value] : patterns) {
    bool fits = is_end_of(pattern, module);
    if (!fits && is_expression(pattern)) {
      ATELIER_TRY(fits, fits_whole("(?:.*\\.)?(?:" + pattern + ")", module));
    }
    if (fits) return value;
  }
  return fallback;
}

Result<bool> is_targeted(const std::vector<std::string>& targets, const std::string& short_name, const std::string& module) {
  if (targets.empty() || (targets.size() == 1 && targets[0] == "all-linear")) return true;
  if (targets.size() == 1 && is_expression(targets[0])) return fits_whole(targets[0], module);
  return std::ranges::any_of(targets, [&](const std::string& target) { return target == short_name || is_end_of(target, module); });
}

}  // namespace atelier::models
