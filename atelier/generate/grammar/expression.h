// What a rule of a grammar may spell: regular expressions over bytes and other rules.
//
// The common form of GBNF, regular expressions and JSON schemas before they are compiled (grammar.h).
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::generate {

inline constexpr uint32_t kUnbounded = std::numeric_limits<uint32_t>::max();

enum class ExpressionKind {
  kLiteral,   // the bytes of `text`; empty: nothing
  kSet,       // one code point of `ranges`, in UTF-8
  kSequence,  // the children in order
  kChoice,    // one of the children
  kRepeat,    // children[0], min to max times
  kRule,      // what rule `rule` spells
};

using CodePointRange = std::pair<char32_t, char32_t>;  // inclusive

struct Expression {
  ExpressionKind kind = ExpressionKind::kLiteral;
  std::string text;
  std::vector<CodePointRange> ranges;
  std::vector<Expression> children;
  uint32_t min = 0, max = 0;
  int32_t rule = -1;

  static Expression literal(std::string_view text) { return {.text = std::string(text)}; }
  static Expression set(std::vector<CodePointRange> ranges) { return {.kind = ExpressionKind::kSet, .ranges = std::move(ranges)}; }
  static Expression sequence(std::vector<Expression> children) {
    return {.kind = ExpressionKind::kSequence, .children = std::move(children)};
  }
  static Expression choice(std::vector<Expression> children) { return {.kind = ExpressionKind::kChoice, .children = std::move(children)}; }
  static Expression repeat(Expression child, uint32_t min, uint32_t max) {
    Expression made{.kind = ExpressionKind::kRepeat, .min = min, .max = max};
    made.children.push_back(std::move(child));
    return made;
  }
  static Expression optional(Expression child) { return repeat(std::move(child), 0, 1); }
  static Expression reference(int32_t rule) { return {.kind = ExpressionKind::kRule, .rule = rule}; }
};

// Every code point that is not in `ranges` (any order, may overlap), surrogates left out.
std::vector<CodePointRange> complement(std::vector<CodePointRange> ranges);

}  // namespace atelier::generate
