// Regular expressions as grammars, in the dialect of text/regex.h without what a grammar cannot follow: look-around, word borders, atomic
// groups and possessive repetition are refused. ^ and $ may stand at the two ends only.
#pragma once

#include <string_view>
#include <vector>

#include "atelier/generate/grammar/grammar.h"

namespace atelier::generate {

struct RegexExpression {
  Expression expression;
  bool begins = false, ends = false;  // anchored by ^ or $
};
Result<RegexExpression> regex_expression(std::string_view pattern);

// Texts that the pattern matches from end to end.
Result<std::vector<GrammarRule>> regex_rules(std::string_view pattern);

// One of these texts.
Result<std::vector<GrammarRule>> choice_rules(const std::vector<std::string>& choices);

}  // namespace atelier::generate
