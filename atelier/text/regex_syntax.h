// Regular expression text to syntax tree. Internal to text/: see regex.h for the dialect.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/text/char_set.h"

namespace atelier::text {

enum class RegexKind {
  kEmpty,
  kSet,          // one code point of `set`
  kSequence,     // children in order
  kAlternation,  // the first child that leads to a match
  kRepeat,       // children[0], min … max times
  kAssertion,    // a condition on the position
  kLook,         // children[0] matches ahead of, or its alternatives end at, the position
  kAtomic,       // children[0], never re-entered
};
enum class RegexAssertion { kLineBegin, kLineEnd, kTextBegin, kTextEnd, kTextEndOrFinalNewline, kWordBorder, kNoWordBorder };
enum class RegexGreed { kGreedy, kLazy, kPossessive };

inline constexpr uint32_t kRegexUnbounded = std::numeric_limits<uint32_t>::max();

struct RegexNode {
  RegexKind kind = RegexKind::kEmpty;
  std::vector<RegexNode> children;
  std::shared_ptr<const CharSet> set;
  uint32_t min = 0, max = 0;
  RegexGreed greed = RegexGreed::kGreedy;
  RegexAssertion assertion = RegexAssertion::kTextBegin;
  bool is_behind = false, is_negative = false;
};

struct RegexTree {
  RegexNode root;
  std::shared_ptr<const CharSet> word;  // \w, for \b; set when the pattern needs it
};

Result<RegexTree> parse_regex(std::string_view pattern);

}  // namespace atelier::text
