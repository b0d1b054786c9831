#include "atelier/text/regex_sets.h"

#include <utility>
#include <vector>

#include "atelier/base/strings.h"

namespace atelier::text {

bool add_property_set(const std::string& name, icu::UnicodeSet& set) {
  static constexpr std::pair<const char*, const char*> kAliases[] = {
      {"w", "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]"},
      {"word", "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]"},
      {"alnum", "[\\p{Alphabetic}\\p{Nd}]"},
      {"alpha", "\\p{Alphabetic}"},
      {"digit", "\\p{Nd}"},
      {"space", "\\p{White_Space}"},
      {"upper", "\\p{Uppercase}"},
      {"lower", "\\p{Lowercase}"},
      {"punct", "[\\p{P}$+<=>\\^`|~]"},
      {"cntrl", "\\p{Cc}"},
      {"xdigit", "\\p{ASCII_Hex_Digit}"},
      {"blank", "[\\p{Zs}\\t]"},
      {"any", "[\\u0000-\\U0010FFFF]"},
      {"ascii", "[\\u0000-\\u007F]"},
  };
  std::string expression = "\\p{" + name + "}";
  for (const auto& [alias, meaning] : kAliases) {
    if (equals_ignoring_case(name, alias)) expression = meaning;
  }
  UErrorCode code = U_ZERO_ERROR;
  const icu::UnicodeSet found(icu::UnicodeString::fromUTF8(expression), code);
  if (U_FAILURE(code)) return false;
  set.addAll(found);
  return true;
}

void close_over_case(icu::UnicodeSet& set) {
  set.closeOver(USET_CASE_INSENSITIVE);
  set.removeAllStrings();
}

std::shared_ptr<const CharSet> freeze_set(const icu::UnicodeSet& set) {
  std::vector<std::pair<char32_t, char32_t>> ranges;
  ranges.reserve(static_cast<size_t>(set.getRangeCount()));
  for (int32_t i = 0; i < set.getRangeCount(); ++i) {
    ranges.emplace_back(static_cast<char32_t>(set.getRangeStart(i)), static_cast<char32_t>(set.getRangeEnd(i)));
  }
  return std::make_shared<CharSet>(ranges);
}

}  // namespace atelier::text
