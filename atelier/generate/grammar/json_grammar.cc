#include "atelier/generate/grammar/json_grammar.h"

#include <algorithm>
#include <map>

#include "atelier/base/json.h"
#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

using E = Expression;

// Control characters, quote and backslash may not stand for themselves; DEL may, and is left out because it shows as nothing.
const std::vector<CodePointRange> kEscaped = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}, {0x7F, 0x7F}};

E digits(uint32_t min, uint32_t max) { return E::repeat(E::set({{'0', '9'}}), min, max); }

E short_escape() {
  return E::sequence(
      {E::literal("\\"), E::set({{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}})});
}

// How JSON writes a character of kEscaped.
std::string escape(char32_t c) {
  if (c == 0x7F) return "\\u007f";  // which a writer may leave as it is
  const std::string written = Json(std::string(1, static_cast<char>(c))).dump();
  return written.substr(1, written.size() - 2);
}

bool is_escaped(char32_t c) {
  return std::any_of(kEscaped.begin(), kEscaped.end(), [c](const CodePointRange& range) { return range.first <= c && c <= range.second; });
}

// Decimal numbers of equally many digits from low to high, as the UTF-8 of a range of characters is found (utf8_ranges.h).
void append_equally_long(const std::string& low, const std::string& high, size_t from, const std::string& prefix, std::vector<E>& out) {
  if (from == low.size()) return out.push_back(E::literal(prefix));
  const auto is_all = [&](const std::string& text, char digit) {
    return text.find_first_not_of(digit, from + 1) == std::string::npos || from + 1 == text.size();
  };
  const auto rest = static_cast<uint32_t>(low.size() - from - 1);
  const auto append_free = [&](char first, char last) {
    if (first <= last)
      out.push_back(
          E::sequence({E::literal(prefix), E::set({{static_cast<char32_t>(first), static_cast<char32_t>(last)}}), digits(rest, rest)}));
  };
  char first = low[from], last = high[from];
  if (first == last) return append_equally_long(low, high, from + 1, prefix + first, out);
  if (!is_all(low, '0')) {
    append_equally_long(low, low.substr(0, from + 1) + std::string(rest, '9'), from + 1, prefix + first, out);
    ++first;
  }
  const bool cuts_high = !is_all(high, '9');
  append_free(first, static_cast<char>(cuts_high ? last - 1 : last));
  if (cuts_high) append_equally_long(high.substr(0, from + 1) + std::string(rest, '0'), high, from + 1, prefix + last, out);
}

void append_natural_between(uint64_t min, uint64_t max, std::vector<E>& out) {
  while (min <= max) {
    const std::string low = std::to_string(min);
    const std::string nines(low.size(), '9');
    const std::string high = std::to_string(max).size() > low.size() ? nines : std::to_string(max);
    append_equally_long(low, high, 0, "", out);
    if (high != nines || std::to_string(max).size() == low.size()) return;
    min = std::stoull("1" + std::string(low.size(), '0'));
  }
}

struct NameTree {
  bool is_name = false;
  std::map<char32_t, NameTree> children;
};

E text_outside(const NameTree& node) {
  std::vector<CodePointRange> taken = kEscaped;
  std::vector<E> choices;
  if (!node.is_name) choices.push_back(E::literal(""));
  for (const auto& [c, child] : node.children) {
    taken.emplace_back(c, c);
    choices.push_back(E::sequence({E::literal(text::to_utf8(c)), text_outside(child)}));
  }
  choices.push_back(E::sequence({E::set(complement(taken)), E::repeat(E::set(complement(kEscaped)), 0, kUnbounded)}));
  return E::choice(std::move(choices));
}

}  // namespace

Expression json_space() {
  return E::choice(
      {E::literal(""), E::literal(" "), E::sequence({E::literal("\n"), E::repeat(E::set({{' ', ' '}, {'\t', '\t'}}), 0, 20)})});
}

Expression json_plain_character() { return E::choice({E::set(complement(kEscaped)), short_escape()}); }

Expression json_character() {
  const E hex = E::set({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
  // No surrogates: a half of a pair would be no text.
  const E first_two = E::choice({E::sequence({E::set({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}}), hex}),
                                 E::sequence({E::set({{'d', 'd'}, {'D', 'D'}}), E::set({{'0', '7'}})})});
  return E::choice({json_plain_character(), E::sequence({E::literal("\\u"), first_two, hex, hex})});
}

Expression json_string() { return E::sequence({E::literal("\""), E::repeat(json_character(), 0, kUnbounded), E::literal("\"")}); }

Expression json_integer() {
  return E::sequence({E::optional(E::literal("-")), E::choice({E::literal("0"), E::sequence({E::set({{'1', '9'}}), digits(0, 15)})})});
}

Expression json_number() {
  return E::sequence(
      {json_integer(), E::optional(E::sequence({E::literal("."), digits(1, 16)})),
       E::optional(E::sequence({E::set({{'e', 'e'}, {'E', 'E'}}), E::optional(E::set({{'+', '+'}, {'-', '-'}})), digits(1, 2)}))});
}

Expression json_integer_between(int64_t min, int64_t max) {
  std::vector<E> choices;
  if (min < 0) {
    std::vector<E> magnitudes;
    const uint64_t smallest = max < 0 ? uint64_t{0} - static_cast<uint64_t>(max) : 1;
    append_natural_between(smallest, uint64_t{0} - static_cast<uint64_t>(min), magnitudes);
    choices.push_back(E::sequence({E::literal("-"), E::choice(std::move(magnitudes))}));
  }
  if (max >= 0) append_natural_between(static_cast<uint64_t>(std::max<int64_t>(min, 0)), static_cast<uint64_t>(max), choices);
  return E::choice(std::move(choices));
}

Expression escaped_for_json(const Expression& expression) {
  E out = expression;
  out.children.clear();
  for (const E& child : expression.children) out.children.push_back(escaped_for_json(child));
  if (expression.kind == ExpressionKind::kLiteral) {
    out.text.clear();
    for (const char c : expression.text) {
      const auto byte = static_cast<unsigned char>(c);
      out.text += byte < 0x80 && is_escaped(byte) ? escape(byte) : std::string(1, c);
    }
  } else if (expression.kind == ExpressionKind::kSet) {
    std::vector<E> choices;
    std::vector<CodePointRange> outside = complement(expression.ranges);
    outside.insert(outside.end(), kEscaped.begin(), kEscaped.end());
    choices.push_back(E::set(complement(outside)));
    for (char32_t c = 0; c < 0x80; ++c) {
      const bool is_in = std::any_of(expression.ranges.begin(), expression.ranges.end(),
                                     [c](const CodePointRange& range) { return range.first <= c && c <= range.second; });
      if (is_in && is_escaped(c)) choices.push_back(E::literal(escape(c)));
    }
    out = E::choice(std::move(choices));
  }
  return out;
}

Expression json_text_other_than(const std::vector<std::string>& names) {
  NameTree root;
  for (const std::string& name : names) {
    NameTree* node = &root;
    for (const char32_t c : text::to_code_points(name)) node = &node->children[c];
    node->is_name = true;
  }
  return text_outside(root);
}

}  // namespace atelier::generate
