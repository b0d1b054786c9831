#include "atelier/text/regex_syntax.h"

#include <unicode/uniset.h>

#include <utility>

#include "atelier/base/strings.h"
#include "atelier/text/regex_sets.h"
#include "atelier/text/utf8.h"

namespace atelier::text {
namespace {

constexpr int kMaxDepth = 100;
constexpr uint32_t kMaxInterval = 1000;
constexpr size_t kMaxPatternBytes = 64 * 1024;

struct Flags {
  bool ignore_case = false;
  bool dot_all = false;   // Ruby's (?m)
  bool extended = false;  // white space and #comments are skipped
};

// Recursive descent over code points. Functions return a Status and leave their value in the last argument.
class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(to_code_points(pattern)) {}

  Result<RegexTree> parse() {
    RegexTree tree;
    ATELIER_RETURN_IF_ERROR(parse_alternation(0, Flags{}, tree.root));
    if (!at_end()) return error("an unmatched )");
    if (needs_word_) {
      icu::UnicodeSet word;
      ATELIER_RETURN_IF_ERROR(property_set("w", word));
      tree.word = freeze_set(word);
    }
    return tree;
  }

 private:
  bool at_end() const { return at_ >= pattern_.size(); }
  char32_t peek(size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : 0; }
  bool take(char32_t c) {
    if (at_end() || pattern_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::u32string_view word) {
    for (size_t i = 0; i < word.size(); ++i) {
      if (at_ + i >= pattern_.size() || pattern_[at_ + i] != word[i]) return false;
    }
    at_ += word.size();
    return true;
  }
  Status error(const std::string& what) const { return Status::invalid(what + " at character " + std::to_string(at_)); }
  Status unsupported(const std::string& what) const {
    return Status::unsupported(what + " at character " + std::to_string(at_) + " is not supported");
  }

  static RegexNode set_node(const icu::UnicodeSet& set) {
    RegexNode node;
    node.kind = RegexKind::kSet;
    node.set = freeze_set(set);
    return node;
  }

  static RegexNode literal(char32_t c, const Flags& flags) {
    icu::UnicodeSet set(static_cast<UChar32>(c), static_cast<UChar32>(c));
    if (flags.ignore_case) close_over_case(set);
    return set_node(set);
  }

  static RegexNode assertion(RegexAssertion kind) {
    RegexNode node;
    node.kind = RegexKind::kAssertion;
    node.assertion = kind;
    return node;
  }

  // alternation := sequence ('|' sequence)*. An inline flag group "(?i)" holds to the end of the enclosing group.
  Status parse_alternation(int depth, Flags flags, RegexNode& out) {
    if (depth > kMaxDepth) return Status::out_of_range("groups nest deeper than " + std::to_string(kMaxDepth));
    std::vector<RegexNode> alternatives;
    do {
      alternatives.emplace_back();
      ATELIER_RETURN_IF_ERROR(parse_sequence(depth, flags, alternatives.back()));
    } while (take(U'|'));
    if (alternatives.size() == 1) {
      out = std::move(alternatives.front());
    } else {
      out.kind = RegexKind::kAlternation;
      out.children = std::move(alternatives);
    }
    return {};
  }

  Status parse_sequence(int depth, Flags& flags, RegexNode& out) {
    out.kind = RegexKind::kSequence;
    while (!at_end() && peek() != U'|' && peek() != U')') {
      if (flags.extended && skip_extended()) continue;
      RegexNode atom;
      ATELIER_RETURN_IF_ERROR(parse_atom(depth, flags, atom));
      ATELIER_RETURN_IF_ERROR(parse_quantifiers(atom));
      out.children.push_back(std::move(atom));
    }
    return {};
  }

  bool skip_extended() {
    if (peek() == U'#') {
      while (!at_end() && peek() != U'\n') ++at_;
      return true;
    }
    if (peek() == U' ' || (peek() >= U'\t' && peek() <= U'\r')) return ++at_, true;
    return false;
  }

  Status parse_atom(int depth, Flags& flags, RegexNode& out) {
    const char32_t c = pattern_[at_++];
    switch (c) {
      case U'(':
        return parse_group(depth, flags, out);
      case U'[':
        return parse_class_atom(flags, out);
      case U'\\':
        return parse_escape_atom(flags, out);
      case U'.': {
        icu::UnicodeSet any(0, 0x10FFFF);
        if (!flags.dot_all) any.remove('\n');
        out = set_node(any);
        return {};
      }
      case U'^':
        return out = assertion(RegexAssertion::kLineBegin), Status{};
      case U'$':
        return out = assertion(RegexAssertion::kLineEnd), Status{};
      case U'*':
      case U'+':
      case U'?':
        return error("a quantifier without anything to repeat");
      default:
        return out = literal(c, flags), Status{};
    }
  }

  Status parse_group(int depth, Flags& flags, RegexNode& out) {
    Flags inner = flags;
    RegexNode body;
    bool is_look = false, is_atomic = false, is_behind = false, is_negative = false;
    if (take(U"?#")) {
      while (!at_end() && peek() != U')') ++at_;
    } else if (take(U"?=")) {
      is_look = true;
    } else if (take(U"?!")) {
      is_look = is_negative = true;
    } else if (take(U"?<=")) {
      is_look = is_behind = true;
    } else if (take(U"?<!")) {
      is_look = is_behind = is_negative = true;
    } else if (take(U"?>")) {
      is_atomic = true;
    } else if (take(U"?<") || take(U"?'") || take(U"?P<")) {
      while (!at_end() && peek() != U'>' && peek() != U'\'') ++at_;
      if (at_end()) return error("a group name without an end");
      ++at_;
    } else if (take(U'?')) {
      ATELIER_RETURN_IF_ERROR(parse_flags(inner));
      if (take(U')')) return flags = inner, Status{};
      if (!take(U':')) return unsupported("this group");
    }
    ATELIER_RETURN_IF_ERROR(parse_alternation(depth + 1, inner, body));
    if (!take(U')')) return error("a group without its )");
    if (!is_look && !is_atomic) return out = std::move(body), Status{};
    out.kind = is_look ? RegexKind::kLook : RegexKind::kAtomic;
    out.is_behind = is_behind;
    out.is_negative = is_negative;
    out.children.push_back(std::move(body));
    return {};
  }

  Status parse_flags(Flags& flags) {
    for (bool on = true; !at_end() && peek() != U':' && peek() != U')'; ++at_) {
      switch (peek()) {
        case U'-':
          on = false;
          break;
        case U'i':
          flags.ignore_case = on;
          break;
        case U'm':
        case U's':
          flags.dot_all = on;
          break;
        case U'x':
          flags.extended = on;
          break;
        case U'u':
          break;  // Unicode classes are always on
        default:
          return unsupported("this group flag");
      }
    }
    return {};
  }

  Status parse_quantifiers(RegexNode& atom) {
    uint32_t min = 0, max = 0;
    bool is_interval = false;
    while (take_quantifier(min, max, is_interval)) {
      if (min > max || (max != kRegexUnbounded && max > kMaxInterval) || min > kMaxInterval) {
        return error("an interval that is empty or above " + std::to_string(kMaxInterval));
      }
      RegexNode repeat;
      repeat.kind = RegexKind::kRepeat;
      repeat.min = min;
      repeat.max = max;
      if (take(U'?')) {
        repeat.greed = RegexGreed::kLazy;
      } else if (!is_interval && take(U'+')) {
        repeat.greed = RegexGreed::kPossessive;
      }
      repeat.children.push_back(std::move(atom));
      atom = std::move(repeat);
    }
    return {};
  }

  bool take_quantifier(uint32_t& min, uint32_t& max, bool& is_interval) {
    is_interval = false;
    if (take(U'*')) return min = 0, max = kRegexUnbounded, true;
    if (take(U'+')) return min = 1, max = kRegexUnbounded, true;
    if (take(U'?')) return min = 0, max = 1, true;
    const size_t start = at_;
    if (take(U'{') && take_interval(min, max)) return is_interval = true;
    at_ = start;  // a lone brace is a literal
    return false;
  }

  // "n}", "n,}", ",m}" or "n,m}".
  bool take_interval(uint32_t& min, uint32_t& max) {
    const bool has_min = take_number(min);
    if (!has_min) min = 0;
    if (take(U'}')) return max = min, has_min;
    if (!take(U',')) return false;
    const bool has_max = take_number(max);
    if (!has_max) max = kRegexUnbounded;
    return (has_min || has_max) && take(U'}');
  }

  bool take_number(uint32_t& value) {
    if (peek() < U'0' || peek() > U'9') return false;
    value = 0;
    while (peek() >= U'0' && peek() <= U'9') {
      value = std::min<uint32_t>(value * 10 + (peek() - U'0'), kMaxInterval + 1);
      ++at_;
    }
    return true;
  }

  Status parse_escape_atom(const Flags& flags, RegexNode& out) {
    switch (peek()) {
      case U'A':
        return ++at_, out = assertion(RegexAssertion::kTextBegin), Status{};
      case U'z':
        return ++at_, out = assertion(RegexAssertion::kTextEnd), Status{};
      case U'Z':
        return ++at_, out = assertion(RegexAssertion::kTextEndOrFinalNewline), Status{};
      case U'b':
        return ++at_, needs_word_ = true, out = assertion(RegexAssertion::kWordBorder), Status{};
      case U'B':
        return ++at_, needs_word_ = true, out = assertion(RegexAssertion::kNoWordBorder), Status{};
      case U'G':
      case U'K':
      case U'X':
      case U'R':
      case U'k':
      case U'g':
        return unsupported("this escape");
      default:
        break;
    }
    if (peek() >= U'1' && peek() <= U'9') return unsupported("a back-reference");
    icu::UnicodeSet set;
    ATELIER_RETURN_IF_ERROR(parse_escape(set));
    if (flags.ignore_case) close_over_case(set);
    out = set_node(set);
    return {};
  }

  // The set that an escape stands for; the backslash is taken already.
  Status parse_escape(icu::UnicodeSet& set) {
    if (at_end()) return error("a backslash at the end");
    const char32_t c = pattern_[at_++];
    switch (c) {
      case U'd':
        return property_set("Nd", set);
      case U'D':
        return negated_property_set("Nd", set);
      case U's':
        return property_set("White_Space", set);
      case U'S':
        return negated_property_set("White_Space", set);
      case U'w':
        return property_set("w", set);
      case U'W':
        return negated_property_set("w", set);
      case U'h':
        return property_set("ASCII_Hex_Digit", set);
      case U'H':
        return negated_property_set("ASCII_Hex_Digit", set);
      case U'p':
      case U'P':
        return parse_property(c == U'P', set);
      default:
        break;
    }
    char32_t value = c;
    ATELIER_RETURN_IF_ERROR(parse_character_escape(c, value));
    set.add(static_cast<UChar32>(value));
    return {};
  }

  Status parse_character_escape(char32_t c, char32_t& value) {
    switch (c) {
      case U'n':
        return value = '\n', Status{};
      case U't':
        return value = '\t', Status{};
      case U'r':
        return value = '\r', Status{};
      case U'f':
        return value = '\f', Status{};
      case U'v':
        return value = '\v', Status{};
      case U'a':
        return value = '\a', Status{};
      case U'e':
        return value = 0x1B, Status{};
      case U'0':
        return value = take_hex_or_octal(8, 2), Status{};
      case U'u':
        return value = take_hex_or_octal(16, 4), Status{};
      case U'x':
        break;
      default:
        return value = c, Status{};
    }
    if (!take(U'{')) return value = take_hex_or_octal(16, 2), Status{};
    value = take_hex_or_octal(16, 8);
    if (!take(U'}')) return error("a \\x{…} without its }");
    if (value > 0x10FFFF) return error("a code point above 10FFFF");
    return {};
  }

  char32_t take_hex_or_octal(char32_t base, int max_digits) {
    char32_t value = 0;
    for (int i = 0; i < max_digits; ++i, ++at_) {
      const char32_t c = peek();
      const char32_t digit = c >= U'0' && c <= U'9'   ? c - U'0'
                             : c >= U'a' && c <= U'f' ? c - U'a' + 10
                             : c >= U'A' && c <= U'F' ? c - U'A' + 10
                                                      : 99;
      if (digit >= base) break;
      value = value * base + digit;
    }
    return value;
  }

  Status parse_property(bool is_negative, icu::UnicodeSet& set) {
    if (!take(U'{')) return error("\\p without its {");
    if (take(U'^')) is_negative = !is_negative;
    std::string name;
    while (!at_end() && peek() != U'}') append_utf8(name, pattern_[at_++]);
    if (!take(U'}')) return error("\\p{…} without its }");
    return is_negative ? negated_property_set(name, set) : property_set(name, set);
  }

  Status property_set(const std::string& name, icu::UnicodeSet& set) const {
    return add_property_set(name, set) ? Status() : unsupported("the property " + quoted(name, 40));
  }

  Status negated_property_set(const std::string& name, icu::UnicodeSet& set) const {
    icu::UnicodeSet positive;
    ATELIER_RETURN_IF_ERROR(property_set(name, positive));
    set.addAll(positive.complement());
    return {};
  }

  Status parse_class_atom(const Flags& flags, RegexNode& out) {
    icu::UnicodeSet set;
    ATELIER_RETURN_IF_ERROR(parse_class(0, flags, set));
    out = set_node(set);
    return {};
  }

  // class := '[' '^'? (item | '&&')* ']'; the bracket is taken already. The closure over case comes before the complement.
  Status parse_class(int depth, const Flags& flags, icu::UnicodeSet& out) {
    if (depth > kMaxDepth) return Status::out_of_range("classes nest deeper than " + std::to_string(kMaxDepth));
    const bool is_negative = take(U'^');
    icu::UnicodeSet total(0, 0x10FFFF), current;
    bool is_first = true;
    for (;; is_first = false) {
      if (at_end()) return error("a class without its ]");
      if (peek() == U']' && !is_first) break;
      if (take(U"&&")) {
        total.retainAll(current);
        current.clear();
        continue;
      }
      ATELIER_RETURN_IF_ERROR(parse_class_item(depth, flags, current));
    }
    ++at_;
    if (flags.ignore_case) close_over_case(current);
    total.retainAll(current);
    if (is_negative) total.complement();
    out.addAll(total);
    return {};
  }

  Status parse_class_item(int depth, const Flags& flags, icu::UnicodeSet& out) {
    if (take(U"[:")) return parse_posix_class(out);
    if (take(U'[')) return parse_class(depth + 1, flags, out);
    icu::UnicodeSet item;
    ATELIER_RETURN_IF_ERROR(parse_class_character(item));
    const bool is_single = item.size() == 1;
    if (!is_single || peek() != U'-' || peek(1) == U']' || at_ + 1 >= pattern_.size()) return out.addAll(item), Status{};
    ++at_;
    icu::UnicodeSet last;
    ATELIER_RETURN_IF_ERROR(parse_class_character(last));
    if (last.size() != 1 || last.charAt(0) < item.charAt(0)) return error("a class range that runs backwards");
    out.add(item.charAt(0), last.charAt(0));
    return {};
  }

  Status parse_class_character(icu::UnicodeSet& out) {
    if (at_end()) return error("a class without its ]");
    if (!take(U'\\')) return out.add(static_cast<UChar32>(pattern_[at_++])), Status{};
    if (take(U'b')) return out.add('\b'), Status{};
    return parse_escape(out);
  }

  Status parse_posix_class(icu::UnicodeSet& out) {
    const bool is_negative = take(U'^');
    std::string name;
    while (!at_end() && peek() != U':') append_utf8(name, pattern_[at_++]);
    if (!take(U":]")) return error("a [: without its :]");
    return is_negative ? negated_property_set(name, out) : property_set(name, out);
  }

  std::vector<char32_t> pattern_;
  size_t at_ = 0;
  bool needs_word_ = false;
};

}  // namespace

Result<RegexTree> parse_regex(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return Status::out_of_range("the pattern has " + std::to_string(pattern.size()) + " bytes, limit " + std::to_string(kMaxPatternBytes));
  }
  if (!is_valid_utf8(pattern)) return Status::invalid("the pattern is not UTF-8");
  return Parser(pattern).parse();
}

}  // namespace atelier::text
