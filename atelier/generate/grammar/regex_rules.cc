#include "atelier/generate/grammar/regex_rules.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/text/regex_syntax.h"
#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

std::vector<CodePointRange> ranges_of(const text::CharSet& set) {
  std::vector<CodePointRange> ranges;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;  // surrogates are no characters
    if (!set.contains(c)) continue;
    if (!ranges.empty() && ranges.back().second + 1 == c) {
      ranges.back().second = c;
    } else {
      ranges.emplace_back(c, c);
    }
  }
  return ranges;
}

Result<Expression> expression_of(const text::RegexNode& node, int depth) {
  if (depth > Grammar::kMaxDepth) return Status::invalid("nested too deep");
  std::vector<Expression> children;
  if (node.kind != text::RegexKind::kLook && node.kind != text::RegexKind::kAtomic) {
    for (const text::RegexNode& child : node.children) {
      ATELIER_TRY(Expression made, expression_of(child, depth + 1));
      children.push_back(std::move(made));
    }
  }
  switch (node.kind) {
    case text::RegexKind::kEmpty:
      return Expression::literal("");
    case text::RegexKind::kSet:
      return Expression::set(ranges_of(*node.set));
    case text::RegexKind::kSequence:
      return Expression::sequence(std::move(children));
    case text::RegexKind::kAlternation:
      return Expression::choice(std::move(children));
    case text::RegexKind::kRepeat:
      if (node.greed == text::RegexGreed::kPossessive) return Status::invalid("possessive repetition is not supported");
      return Expression::repeat(std::move(children.at(0)), node.min, node.max == text::kRegexUnbounded ? kUnbounded : node.max);
    case text::RegexKind::kAssertion:
      return Status::invalid("^, $ and \\b inside a pattern are not supported");
    case text::RegexKind::kLook:
      return Status::invalid("look-around is not supported");
    case text::RegexKind::kAtomic:
      return Status::invalid("atomic groups are not supported");
  }
  return Status::invalid("not supported");
}

bool is_assertion(const text::RegexNode& node, std::initializer_list<text::RegexAssertion> kinds) {
  return node.kind == text::RegexKind::kAssertion && std::find(kinds.begin(), kinds.end(), node.assertion) != kinds.end();
}

}  // namespace

Result<RegexExpression> regex_expression(std::string_view pattern) {
  using text::RegexAssertion;
  ATELIER_TRY(text::RegexTree tree, text::parse_regex(pattern));
  RegexExpression out;
  text::RegexNode& root = tree.root;
  if (root.kind != text::RegexKind::kSequence) {
    text::RegexNode sequence;
    sequence.kind = text::RegexKind::kSequence;
    sequence.children.push_back(std::move(root));
    root = std::move(sequence);
  }
  std::vector<text::RegexNode>& parts = root.children;
  if (!parts.empty() && is_assertion(parts.front(), {RegexAssertion::kLineBegin, RegexAssertion::kTextBegin})) {
    out.begins = true;
    parts.erase(parts.begin());
  }
  if (!parts.empty() &&
      is_assertion(parts.back(), {RegexAssertion::kLineEnd, RegexAssertion::kTextEnd, RegexAssertion::kTextEndOrFinalNewline})) {
    out.ends = true;
    parts.pop_back();
  }
  auto expression = expression_of(root, 0);
  if (!expression.ok()) return expression.status().with_context("pattern " + quoted(pattern));
  out.expression = std::move(*expression);
  return out;
}

Result<std::vector<GrammarRule>> regex_rules(std::string_view pattern) {
  ATELIER_TRY(RegexExpression regex, regex_expression(pattern));
  std::vector<GrammarRule> rules;
  rules.push_back({"root", std::move(regex.expression)});
  return rules;
}

Result<std::vector<GrammarRule>> choice_rules(const std::vector<std::string>& choices) {
  if (choices.empty()) return Status::invalid("choices: none, at least 1 is needed");
  std::vector<Expression> literals;
  for (const std::string& choice : choices) {
    if (!text::is_valid_utf8(choice)) return Status::invalid("choices: one is not UTF-8");
    literals.push_back(Expression::literal(choice));
  }
  std::vector<GrammarRule> rules;
  rules.push_back({"root", Expression::choice(std::move(literals))});
  return rules;
}

}  // namespace atelier::generate
