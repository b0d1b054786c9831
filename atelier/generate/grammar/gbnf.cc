#include "atelier/generate/grammar/gbnf.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

constexpr uint32_t kMaxRepetitions = 10'000;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : text_(text) {}

  Result<std::vector<GrammarRule>> run() {
    rule_number("root");
    skip_space(true);
    while (at_ < text_.size()) ATELIER_RETURN_IF_ERROR(parse_rule());
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (!is_defined_[i])
        return Status::invalid("grammar: the rule " + rules_[i].name + " is not defined; add " + rules_[i].name + " ::= ...");
    }
    return std::move(rules_);
  }

 private:
  Status error(const std::string& what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<int64_t>(std::min(at_, text_.size())), '\n');
    return Status::invalid(fmt::format("grammar: line {}: {}", line, what));
  }

  int32_t rule_number(std::string_view name) {
    const auto [found, is_new] = numbers_.emplace(std::string(name), static_cast<int32_t>(rules_.size()));
    if (is_new) {
      rules_.push_back({std::string(name), {}});
      is_defined_.push_back(false);
    }
    return found->second;
  }

  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

  void skip_space(bool with_newlines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || (with_newlines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  Result<std::string_view> parse_name() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    if (at_ == begin) return error("expected the name of a rule");
    return text_.substr(begin, at_ - begin);
  }

  Status parse_rule() {
    ATELIER_TRY(const std::string_view name, parse_name());
    const auto rule = static_cast<size_t>(rule_number(name));
    if (is_defined_[rule]) return error("the rule " + std::string(name) + " is defined twice");
    skip_space(false);
    if (text_.substr(at_, 3) != "::=") return error("expected ::= behind " + std::string(name));
    at_ += 3;
    skip_space(true);
    ATELIER_TRY(Expression expression, parse_alternatives(0, false));
    rules_[rule].expression = std::move(expression);
    is_defined_[rule] = true;
    skip_space(false);
    if (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r')
      return error(fmt::format("unexpected {}", quoted(text_.substr(at_, 1))));
    skip_space(true);
    return {};
  }

  Result<Expression> parse_alternatives(int depth, bool in_group) {
    if (depth > Grammar::kMaxDepth / 4) return error("parentheses nested more than 64 deep");
    std::vector<Expression> alternatives;
    while (true) {
      ATELIER_TRY(Expression sequence, parse_sequence(depth, in_group));
      alternatives.push_back(std::move(sequence));
      skip_space(in_group);
      if (!next_is('|')) break;
      ++at_;
      skip_space(true);
    }
    return alternatives.size() == 1 ? std::move(alternatives[0]) : Expression::choice(std::move(alternatives));
  }

  Result<Expression> parse_sequence(int depth, bool in_group) {
    std::vector<Expression> parts;
    while (true) {
      skip_space(in_group);
      if (at_ >= text_.size()) break;
      const char c = text_[at_];
      Expression part;
      if (c == '"') {
        ATELIER_TRY(part, parse_literal());
      } else if (c == '[') {
        ATELIER_TRY(part, parse_class());
      } else if (c == '.') {
        ++at_;
        part = Expression::set(complement({}));
      } else if (c == '(') {
        ++at_;
        ATELIER_TRY(part, parse_alternatives(depth + 1, true));
        skip_space(true);
        if (!next_is(')')) return error("expected )");
        ++at_;
      } else if (is_name_character(c)) {
        ATELIER_TRY(const std::string_view name, parse_name());
        part = Expression::reference(rule_number(name));
      } else {
        break;
      }
      ATELIER_TRY(part, parse_repetition(std::move(part)));
      parts.push_back(std::move(part));
    }
    return parts.size() == 1 ? std::move(parts[0]) : Expression::sequence(std::move(parts));
  }

  Result<Expression> parse_repetition(Expression part) {
    if (at_ >= text_.size()) return part;
    switch (text_[at_]) {
      case '?':
        return ++at_, Expression::optional(std::move(part));
      case '*':
        return ++at_, Expression::repeat(std::move(part), 0, kUnbounded);
      case '+':
        return ++at_, Expression::repeat(std::move(part), 1, kUnbounded);
      case '{':
        break;
      default:
        return part;
    }
    ++at_;
    ATELIER_TRY(const uint32_t min, parse_count());
    uint32_t max = min;
    if (next_is(',')) {
      ++at_;
      max = kUnbounded;
      if (!next_is('}')) {
        ATELIER_TRY(max, parse_count());
      }
    }
    if (!next_is('}')) return error("expected }");
    ++at_;
    if (max < min) return error(fmt::format("a repetition from {} to {}", min, max));
    return Expression::repeat(std::move(part), min, max);
  }

  Result<uint32_t> parse_count() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    const auto count = parse_int(text_.substr(begin, at_ - begin));
    if (!count || *count > kMaxRepetitions) return error(fmt::format("expected a number of repetitions, at most {}", kMaxRepetitions));
    return static_cast<uint32_t>(*count);
  }

  // One character of a literal or class, escapes resolved.
  Result<char32_t> parse_character() {
    if (next_is('\\')) {
      if (at_ + 1 >= text_.size()) return error("a backslash at the end");
      const char c = text_[at_ + 1];
      at_ += 2;
      switch (c) {
        case 'n':
          return U'\n';
        case 'r':
          return U'\r';
        case 't':
          return U'\t';
        case 'x':
          return parse_hex(2);
        case 'u':
          return parse_hex(4);
        case 'U':
          return parse_hex(8);
        case '\\':
        case '"':
        case '[':
        case ']':
        case '-':
        case '^':
          return static_cast<char32_t>(c);
        default:
          return error("unknown escape " + quoted(text_.substr(at_ - 2, 2)));
      }
    }
    const text::Utf8Step step = text::decode_checked(text_, at_);
    if (!step.is_valid) return error("invalid UTF-8");
    at_ += step.length;
    return step.value;
  }

  Result<char32_t> parse_hex(size_t digits) {
    char32_t value = 0;
    for (size_t i = 0; i < digits; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : ' ';
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return error(fmt::format("expected {} hexadecimal digits", digits));
      value = value << 4 | static_cast<char32_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return error("no code point");
    return value;
  }

  Result<Expression> parse_literal() {
    ++at_;
    std::string literal;
    while (!next_is('"')) {
      if (at_ >= text_.size() || text_[at_] == '\n') return error("a literal without its closing \"");
      ATELIER_TRY(const char32_t c, parse_character());
      literal += text::to_utf8(c);
    }
    ++at_;
    return Expression::literal(literal);
  }

  Result<Expression> parse_class() {
    ++at_;
    const bool is_negated = next_is('^');
    if (is_negated) ++at_;
    std::vector<CodePointRange> ranges;
    while (!next_is(']')) {
      if (at_ >= text_.size() || text_[at_] == '\n') return error("a class without its closing ]");
      ATELIER_TRY(const char32_t first, parse_character());
      char32_t last = first;
      if (next_is('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        ATELIER_TRY(last, parse_character());
      }
      if (last < first) return error("a range of characters that ends before it begins");
      ranges.emplace_back(first, last);
    }
    ++at_;
    return Expression::set(is_negated ? complement(std::move(ranges)) : std::move(ranges));
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<GrammarRule> rules_;
  std::vector<bool> is_defined_;
  std::map<std::string, int32_t> numbers_;
};

}  // namespace

Result<std::vector<GrammarRule>> parse_gbnf(std::string_view text) { return GbnfParser(text).run(); }

}  // namespace atelier::generate
